package knative

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"knative.dev/serving/pkg/apis/serving"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// rendered is an overlay as a cluster gets it.
type rendered struct {
	objects
	configMaps  []object[corev1.ConfigMap]
	deployments []object[appsv1.Deployment]
	ports       []object[corev1.Service]
}

// kustomizing lets one test at a time use kustomize, which keeps what it knows of Kubernetes in variables of the process.
var kustomizing sync.Mutex

// kustomize builds an overlay as kubectl does.
func kustomize(overlay string) ([]byte, error) {
	kustomizing.Lock()
	defer kustomizing.Unlock()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join("overlays", overlay))
	if err != nil {
		return nil, err
	}
	return built.AsYaml()
}

// render builds an overlay and reads all of it strictly.
func render(t *testing.T, overlay string) rendered {
	t.Helper()
	text, err := kustomize(overlay)
	require.NoError(t, err)
	var r rendered
	for documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text))); ; {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return r
		}
		require.NoError(t, err)
		var is metav1.TypeMeta
		require.NoError(t, yaml.Unmarshal(document, &is))
		switch is.APIVersion + " " + is.Kind {
		case "v1 ConfigMap":
			err = add(&r.objects, &r.configMaps, overlay, document)
		case "apps/v1 Deployment":
			err = add(&r.objects, &r.deployments, overlay, document)
		case "v1 Service":
			err = add(&r.objects, &r.ports, overlay, document)
		default:
			err = r.readDocument(overlay, document)
		}
		require.NoError(t, err, "%s", document)
	}
}

func overlays(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("overlays/*/kustomization.yaml")
	require.NoError(t, err)
	require.Len(t, found, 2)
	var names []string
	for _, file := range found {
		names = append(names, filepath.Base(filepath.Dir(file)))
	}
	return names
}

// What an overlay makes is what the manifests are made of, and every object says what it belongs to.
func TestOverlays(t *testing.T) {
	t.Parallel()
	m, err := Read()
	require.NoError(t, err)
	for _, overlay := range overlays(t) {
		r := render(t, overlay)
		require.Len(t, r.services, len(m.Functions), overlay)
		require.Len(t, r.schedules, len(m.Schedules), overlay)
		require.Len(t, r.jobs, 1, overlay)
		require.Len(t, r.brokers, 1, overlay)
		for _, c := range r.configMaps {
			require.NotEmpty(t, c.T.Labels["app.kubernetes.io/name"], c.T.Name)
		}
		for _, s := range r.services {
			require.Equal(t, s.T.Name, s.T.Labels["app.kubernetes.io/name"])
		}
		for _, d := range r.deployments {
			require.NotEmpty(t, d.T.Labels["app.kubernetes.io/name"], d.T.Name)
			requireNoToken(t, d.T.Spec.Template.Spec)
		}
	}
}

// Nobody outside says which trace their request belongs to.
func TestTracesBeginHere(t *testing.T) {
	t.Parallel()
	for _, overlay := range overlays(t) {
		headers := 0
		for _, m := range render(t, overlay).middlewares {
			if m.T.Name == "headers" {
				headers++
				require.Equal(t, map[string]string{"Traceparent": "", "Tracestate": ""}, m.T.Spec.Headers.CustomRequestHeaders)
			}
		}
		require.Equal(t, 1, headers, overlay)
	}
}

func requireNoToken(t *testing.T, pod corev1.PodSpec) {
	t.Helper()
	require.NotNil(t, pod.AutomountServiceAccountToken)
	require.False(t, *pod.AutomountServiceAccountToken)
}

// What a pod's environment refers to is in the overlay's ConfigMap, or in the list of Secrets that an operator fills in.
func TestEnvironmentIsComplete(t *testing.T) {
	t.Parallel()
	example, err := os.ReadFile("overlays/production/.env.example")
	require.NoError(t, err)
	secrets := map[string]bool{} // false until something names it
	for line := range strings.Lines(string(example)) {
		if key, _, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
			require.NotContains(t, secrets, key)
			secrets[key] = false
		}
	}
	for _, overlay := range overlays(t) {
		r := render(t, overlay)
		config := map[string]string{}
		for _, c := range r.configMaps {
			for key, value := range c.T.Data {
				config[c.T.Name+"/"+key] = value
			}
		}
		env := r.jobs[0].T.Spec.Template.Spec.Containers[0].Env
		for _, s := range r.services {
			env = append(env, s.T.Spec.Template.Spec.Containers[0].Env...)
		}
		for _, e := range env {
			switch from := e.ValueFrom; {
			case from == nil:
			case from.SecretKeyRef != nil:
				key := from.SecretKeyRef.Name + "/" + from.SecretKeyRef.Key
				if key == "honeydue-database-logins/DATABASE_LOGINS" {
					require.True(t, *from.SecretKeyRef.Optional, "make rotate makes it, and no operator")
					continue
				}
				require.Contains(t, secrets, key, e.Name)
				secrets[key] = true
			case from.ConfigMapKeyRef.Optional == nil || !*from.ConfigMapKeyRef.Optional:
				require.NotEmpty(t, config[from.ConfigMapKeyRef.Name+"/"+from.ConfigMapKeyRef.Key], "%s in %s", e.Name, overlay)
			}
		}
	}
	for key, named := range secrets {
		require.True(t, named, "nothing reads %s", key)
	}
}

// What the pods of functions read is at hand on every node, and nothing else, and no container sees it.
func TestStandbyKeepsWhatFunctionsRead(t *testing.T) {
	t.Parallel()
	for _, overlay := range overlays(t) {
		r := render(t, overlay)
		reads := map[string]bool{}
		for _, s := range r.services {
			for _, e := range s.T.Spec.Template.Spec.Containers[0].Env {
				switch from := e.ValueFrom; {
				case from == nil:
				case from.SecretKeyRef != nil:
					reads["Secret "+from.SecretKeyRef.Name] = true
				default:
					reads["ConfigMap "+from.ConfigMapKeyRef.Name] = true
				}
			}
		}
		keeps := map[string]bool{}
		pod := r.daemons[0].T.Spec.Template.Spec
		for _, v := range pod.Volumes {
			if v.Secret != nil {
				keeps["Secret "+v.Secret.SecretName] = true
			} else {
				keeps["ConfigMap "+v.ConfigMap.Name] = true
			}
		}
		require.Equal(t, reads, keeps, overlay)
		require.Empty(t, pod.Containers[0].VolumeMounts)
		requireNoToken(t, pod)
	}
}

// A request comes from Knative's sidecar in the same pod: without its word on whom it comes from, all clients are one.
func TestSidecarIsBelieved(t *testing.T) {
	t.Parallel()
	for _, overlay := range overlays(t) {
		i := slices.IndexFunc(render(t, overlay).configMaps, func(c object[corev1.ConfigMap]) bool { return c.T.Name == "honeydue" })
		require.Contains(t, strings.Split(render(t, overlay).configMaps[i].T.Data["TRUSTED_PROXIES"], ","), "127.0.0.1/32")
	}
}

// The namespace's quota is enough for a rollout of everything at its largest, old pods and new ones, and not much larger.
func TestQuotaIsTheSumOfThePods(t *testing.T) {
	t.Parallel()
	m, err := Read()
	require.NoError(t, err)
	r := render(t, "production")
	byDefault := r.limits[0].T.Spec.Limits[0]
	times := func(n int64, containers ...corev1.ResourceRequirements) map[string]int64 {
		sum := map[string]int64{"pods": n}
		for _, c := range containers {
			sum["requests.cpu"] += n * c.Requests.Cpu().MilliValue()
			sum["requests.memory"] += n * c.Requests.Memory().Value()
			sum["limits.memory"] += n * c.Limits.Memory().Value()
		}
		return sum
	}
	const nodes = 3
	need := times(1, m.Migrate.Job.Spec.Template.Spec.Containers[0].Resources)
	for name, n := range times(nodes, r.daemons[0].T.Spec.Template.Spec.Containers[0].Resources) {
		need[name] += n
	}
	for _, f := range m.Functions {
		cpu, err := resource.ParseQuantity(f.Service.Spec.Template.Annotations[serving.QueueSidecarCPUResourceRequestAnnotationKey])
		require.NoError(t, err, f.Name)
		sidecar := corev1.ResourceRequirements{
			Requests: corev1.ResourceList{"cpu": cpu, "memory": byDefault.DefaultRequest["memory"]},
			Limits:   byDefault.Default,
		}
		for name, n := range times(2*int64(f.MaxScale), f.Service.Spec.Template.Spec.Containers[0].Resources, sidecar) {
			need[name] += n
		}
	}
	for name, quantity := range r.quotas[0].T.Spec.Hard {
		has, needs := quantity.Value(), need[string(name)]
		if name == "requests.cpu" {
			has = quantity.MilliValue()
		}
		require.GreaterOrEqual(t, has, needs, name)
		require.LessOrEqual(t, has, needs*5/4, name)
	}
	require.Len(t, r.quotas[0].T.Spec.Hard, len(need))
}

// A function gives up on an event before the Broker does, so that its answer counts.
func TestPatienceGrowsOutwards(t *testing.T) {
	t.Parallel()
	m, err := Read()
	require.NoError(t, err)
	for _, f := range m.Functions {
		for _, trigger := range f.Triggers {
			patience, err := time.ParseDuration(strings.ToLower(strings.TrimPrefix(trigger.Spec.Delivery.Timeout, "PT")))
			require.NoError(t, err)
			require.Greater(t, patience, f.Timeout, trigger.Name)
		}
	}
}

// channelTemplate is what production's Broker makes its streams of: a messaging.knative.dev/v1alpha1
// NatsJetStreamChannel, as far as we use it.
type channelTemplate struct {
	metav1.TypeMeta `json:",inline"`
	Spec            struct {
		Stream struct {
			Config struct {
				Replicas int             `json:"replicas"`
				Storage  string          `json:"storage"`
				MaxAge   metav1.Duration `json:"maxAge"`
			} `json:"config"`
		} `json:"stream"`
		ConsumerConfigTemplate struct {
			DeliverPolicy string `json:"deliverPolicy"`
		} `json:"consumerConfigTemplate"`
	} `json:"spec"`
}

// Eventing reads the template only when it makes a Broker's channels, and passes over what it does not know.
func TestBrokerKeepsEvents(t *testing.T) {
	t.Parallel()
	r := render(t, "production")
	config := r.brokers[0].T.Spec.Config
	require.NotNil(t, config)
	i := slices.IndexFunc(r.configMaps, func(c object[corev1.ConfigMap]) bool {
		return *config == ConfigReference{APIVersion: "v1", Kind: "ConfigMap", Name: c.T.Name, Namespace: c.T.Namespace}
	})
	require.GreaterOrEqual(t, i, 0, "there is no %+v", *config)
	data := r.configMaps[i].T.Data
	require.Len(t, data, 1)
	var channel channelTemplate
	require.NoError(t, unmarshal([]byte(data["channel-template-spec"]), &channel))
	require.Equal(t, metav1.TypeMeta{APIVersion: "messaging.knative.dev/v1alpha1", Kind: "NatsJetStreamChannel"}, channel.TypeMeta)
	require.Equal(t, 3, channel.Spec.Stream.Config.Replicas)
	require.Equal(t, "File", channel.Spec.Stream.Config.Storage)
	require.Positive(t, channel.Spec.Stream.Config.MaxAge.Duration)
	require.Equal(t, "New", channel.Spec.ConsumerConfigTemplate.DeliverPolicy)
}

// Browsers come back by TLS alone for a year, and a body that a function refuses with a word of its own gets that far.
func TestMiddlewares(t *testing.T) {
	t.Parallel()
	const (
		year     = 365 * 24 * time.Hour
		bodySize = 1 << 20 // what a function takes
	)
	for _, overlay := range overlays(t) {
		named := map[string]middleware{}
		for _, m := range render(t, overlay).middlewares {
			named[m.T.Name] = *m.T
		}
		headers := named["headers"].Spec.Headers
		require.GreaterOrEqual(t, time.Duration(headers.STSSeconds)*time.Second, year)
		require.True(t, headers.STSIncludeSubdomains)
		require.Greater(t, named["body-size"].Spec.Buffering.MaxRequestBodyBytes, bodySize)
	}
}
