package knative_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative"
)

// manifestsFS copies the real manifests, so that a test can break one of them.
func manifestsFS(t *testing.T) fstest.MapFS {
	t.Helper()
	copied := fstest.MapFS{}
	require.NoError(t, copyYAML(copied, "."))
	return copied
}

func copyYAML(into fstest.MapFS, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := strings.TrimPrefix(dir+"/"+e.Name(), "./")
		switch {
		case e.IsDir() && dir == ".":
			if err := copyYAML(into, name); err != nil {
				return err
			}
		case strings.HasSuffix(name, ".yaml"):
			content, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			into[name] = &fstest.MapFile{Data: content}
		}
	}
	return nil
}

func TestLoadRefusesWhatIsBroken(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		file, old, new string // new takes the place of old, once; without old the file is new
		want           []string
	}{
		"unknown field": {
			"auth/service.yaml", "timeoutSeconds", "timeoutSecond",
			[]string{"auth/service.yaml", `unknown field "spec.template.spec.timeoutSecond"`},
		},
		"wrong case": {
			"auth/service.yaml", "containerConcurrency:", "ContainerConcurrency:",
			[]string{"auth/service.yaml", `unknown field "spec.template.spec.ContainerConcurrency"`},
		},
		"key twice": {
			"auth/service.yaml", "      enableServiceLinks: false\n",
			"      enableServiceLinks: false\n      enableServiceLinks: true\n",
			[]string{"auth/service.yaml", "enableServiceLinks", "already set"},
		},
		"wrong type": {
			"auth/service.yaml", "timeoutSeconds: 60", "timeoutSeconds: soon",
			[]string{"auth/service.yaml", "timeoutSeconds"},
		},
		"not YAML":          {"auth/service.yaml", "kind: Service", "kind: [", []string{"auth/service.yaml"}},
		"unknown kind":      {"namespace/broker.yaml", "kind: Broker", "kind: Broken", []string{"namespace/broker.yaml", `"Broken"`}},
		"other version":     {"namespace/broker.yaml", "eventing.knative.dev/v1", "eventing.knative.dev/v1beta1", []string{"namespace/broker.yaml", "v1beta1"}},
		"other namespace":   {"namespace/broker.yaml", "namespace: honeydue", "namespace: elsewhere", []string{"namespace/broker.yaml", "metadata.namespace", "elsewhere"}},
		"file not listed":   {"extra/service.yaml", "", "kind: Service", []string{"extra/service.yaml", "not listed in a kustomization.yaml"}},
		"listed, not here":  {"auth/kustomization.yaml", "service.yaml", "service.yaml\n  - more.yaml", []string{"auth/more.yaml"}},
		"no broker":         {"namespace/kustomization.yaml", "  - broker.yaml\n", "", []string{"namespace/broker.yaml: not listed"}},
		"folder not listed": {"base/kustomization.yaml", "  - ../auth\n", "", []string{"auth/", "not listed"}},
		"another's labels":  {"auth/kustomization.yaml", "name: auth", "name: tasks", []string{"auth/kustomization.yaml", "labels"}},
		"service in another folder": {
			"auth/service.yaml", "  name: auth\n", "  name: author\n",
			[]string{"auth/service.yaml", "metadata.name", "author/service.yaml"},
		},
		"a limit that nobody knows": {
			"namespace/middleware.yaml", "maxRequestBodyBytes", "maxRequestBody",
			[]string{"namespace/middleware.yaml", "unknown field"},
		},
		"no concurrency": {
			"auth/service.yaml", "containerConcurrency: 16", "containerConcurrency: 0",
			[]string{"auth/service.yaml", "spec.template.spec.containerConcurrency"},
		},
		"no timeout": {
			"auth/service.yaml", "      timeoutSeconds: 60\n", "",
			[]string{"auth/service.yaml", "spec.template.spec.timeoutSeconds"},
		},
		"no scale": {
			"auth/service.yaml", `max-scale: "10"`, `max-scale: "many"`,
			[]string{"auth/service.yaml", "autoscaling.knative.dev/max-scale", "many"},
		},
		"no window": {
			"auth/service.yaml", `window: "60s"`, `window: "a while"`,
			[]string{"auth/service.yaml", "autoscaling.knative.dev/window"},
		},
		"foreign image": {
			"auth/service.yaml", "ko://", "docker.io/",
			[]string{"auth/service.yaml", "spec.template.spec.containers[0].image"},
		},
		"image of the job": {"migrate/job.yaml", "ko://", "", []string{"migrate/job.yaml", "containers[0].image"}},
		"rule of another form": {
			"auth/route.yaml", "Path(`/api/auth`) || PathPrefix(`/api/auth/`)", "PathPrefix(`/api/auth`)",
			[]string{"auth/route.yaml", "spec.routes[0].match"},
		},
		"rule of two paths": {
			"auth/route.yaml", "PathPrefix(`/api/auth/`)", "PathPrefix(`/api/admin/`)",
			[]string{"auth/route.yaml", "spec.routes[0].match"},
		},
		"rule of another host": {
			"auth/route.yaml", "api.myhoneydue.com", "myhoneydue.com",
			[]string{"auth/route.yaml", "spec.routes[0].match", "host"},
		},
		"host of another": {
			"site/route.yaml", "Host(`myhoneydue.com`)", "Host(`example.com`)",
			[]string{"site/route.yaml", "spec.routes[3].match", "host"},
		},
		"path twice": {
			"auth/route.yaml", "(Path(`/api/auth`) || PathPrefix(`/api/auth/`))", "(Path(`/api/tasks`) || PathPrefix(`/api/tasks/`))",
			[]string{"route.yaml", "/api/tasks leads to"},
		},
		"no middleware that sets the host": {
			"site/route.yaml", "        - name: site\n", "",
			[]string{"site/route.yaml", "spec.routes[0].middlewares[1].name", "body-size"},
		},
		"unknown middleware": {
			"auth/route.yaml", "        - name: auth\n", "        - name: author\n",
			[]string{"auth/route.yaml", "there is no Middleware author"},
		},
		"another function's host": {
			"auth/route.yaml", "Host: auth.", "Host: tasks.",
			[]string{"auth/route.yaml", "tasks.honeydue.svc.cluster.local"},
		},
		"route to nothing": {
			"auth/route.yaml", "kind: IngressRoute\nmetadata:\n  name: auth", "kind: IngressRoute\nmetadata:\n  name: author",
			[]string{"auth/route.yaml", "there is no Service author"},
		},
		"cron":              {"schedules/outbox.yaml", "*/5 * * * *", "* * *", []string{"schedules/outbox.yaml", "spec.schedule"}},
		"zone":              {"schedules/outbox.yaml", "UTC", "Mars/Olympus", []string{"schedules/outbox.yaml", "spec.timezone"}},
		"no zone":           {"schedules/outbox.yaml", "  timezone: UTC\n", "", []string{"schedules/outbox.yaml", "spec.timezone"}},
		"sink":              {"schedules/outbox.yaml", "name: default", "name: other", []string{"schedules/outbox.yaml", "spec.sink.ref"}},
		"trigger's broker":  {"sweeper/trigger.yaml", "broker: default", "broker: other", []string{"sweeper/trigger.yaml", "spec.broker"}},
		"subscriber":        {"sweeper/trigger.yaml", "name: sweeper\n      ", "name: sweep\n      ", []string{"sweeper/trigger.yaml", "sweep"}},
		"schedule's name":   {"sweeper/trigger.yaml", "/pingsources/outbox", "/pingsources/inbox", []string{"sweeper/trigger.yaml", "there is no PingSource inbox"}},
		"filter's dialect":  {"sweeper/trigger.yaml", "- suffix:", "- sufix:", []string{"sweeper/trigger.yaml", "sufix"}},
		"back-off's delay":  {"sweeper/trigger.yaml", "PT1S", "1s", []string{"sweeper/trigger.yaml", "spec.delivery", "backoffDelay"}},
		"filter of nothing": {"sweeper/trigger.yaml", "    - suffix:\n        source: /pingsources/outbox\n", "    - {}\n", []string{"sweeper/trigger.yaml", "spec.filters[1]"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken := manifestsFS(t)
			if tt.old == "" {
				broken[tt.file] = &fstest.MapFile{Data: []byte(tt.new)}
			} else {
				content := string(broken[tt.file].Data)
				require.Contains(t, content, tt.old)
				broken[tt.file] = &fstest.MapFile{Data: []byte(strings.Replace(content, tt.old, tt.new, 1))}
			}
			_, err := knative.Load(broken)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}
