package knative

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

const (
	kustomizationFile = "kustomization.yaml"
	base              = "base" // the folder of the kustomization that names all others
)

type kustomization struct {
	metav1.TypeMeta `json:",inline"`
	Labels          []struct {
		Pairs map[string]string `json:"pairs"`
	} `json:"labels"`
	Resources []string `json:"resources"`
}

// objects is what the files hold, before anything is checked against anything else.
type objects struct {
	namespaces  []object[corev1.Namespace]
	accounts    []object[corev1.ServiceAccount]
	quotas      []object[corev1.ResourceQuota]
	limits      []object[corev1.LimitRange]
	policies    []object[networkingv1.NetworkPolicy]
	budgets     []object[policyv1.PodDisruptionBudget]
	daemons     []object[appsv1.DaemonSet]
	services    []object[servingv1.Service]
	jobs        []object[batchv1.Job]
	brokers     []object[Broker]
	triggers    []object[Trigger]
	schedules   []object[PingSource]
	routes      []object[ingressRoute]
	middlewares []object[middleware]

	placed []placed // all of them
}

// placed says where something is to run.
type placed struct{ file, what, namespace string }

type object[T any] struct {
	file string
	T    *T
}

// Load reads the files that base/kustomization.yaml lists, and the kustomizations that it lists. A YAML file one
// folder below fsys that none of them lists is an error, since nobody would deploy it. Errors name the file and,
// where there is one, the field.
func Load(fsys fs.FS) (*Manifests, error) {
	listed, err := resources(fsys)
	if err != nil {
		return nil, err
	}
	var found objects
	for _, file := range listed {
		if err := found.readFile(fsys, file); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return assemble(found)
}

// resources returns the files that are listed, having made sure that all are.
func resources(fsys fs.FS) ([]string, error) {
	listed, err := listedIn(fsys, base)
	if err != nil {
		return nil, err
	}
	present, err := fs.Glob(fsys, "*/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list manifests: %w", err)
	}
	for _, file := range present {
		if path.Base(file) != kustomizationFile && !slices.Contains(listed, file) {
			return nil, fmt.Errorf("%s: not listed in a %s", file, kustomizationFile)
		}
	}
	return listed, nil
}

// listedIn returns the files that a folder's kustomization lists, itself or by the folders that it names. The labels
// that it gives must say the folder's name, by which a rollout finds what belongs to it; base has nothing of its own.
func listedIn(fsys fs.FS, folder string) ([]string, error) {
	file := path.Join(folder, kustomizationFile)
	content, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, fmt.Errorf("read kustomization: %w", err)
	}
	var k kustomization
	if err := unmarshal(content, &k); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if folder != base && (len(k.Labels) != 1 || k.Labels[0].Pairs["app.kubernetes.io/name"] != folder) {
		return nil, fmt.Errorf("%s: labels: app.kubernetes.io/name is not %s", file, folder)
	}
	var files []string
	for _, resource := range k.Resources {
		resource = path.Join(folder, resource)
		if path.Ext(resource) == ".yaml" {
			files = append(files, resource)
			continue
		}
		below, err := listedIn(fsys, resource)
		if err != nil {
			return nil, err
		}
		files = append(files, below...)
	}
	return files, nil
}

// readFile reads every document of a file.
func (o *objects) readFile(fsys fs.FS, file string) error {
	content, err := fs.ReadFile(fsys, path.Clean(file))
	if err != nil {
		return fmt.Errorf("read manifest: %w", err)
	}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("split documents: %w", err)
		}
		if err := o.readDocument(file, document); err != nil {
			return err
		}
	}
}

func (o *objects) readDocument(file string, document []byte) error {
	var is metav1.TypeMeta
	if err := yaml.Unmarshal(document, &is); err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	switch is.APIVersion + " " + is.Kind {
	case "v1 Namespace":
		return add(o, &o.namespaces, file, document)
	case "v1 ServiceAccount":
		return add(o, &o.accounts, file, document)
	case "v1 ResourceQuota":
		return add(o, &o.quotas, file, document)
	case "v1 LimitRange":
		return add(o, &o.limits, file, document)
	case "networking.k8s.io/v1 NetworkPolicy":
		return add(o, &o.policies, file, document)
	case "policy/v1 PodDisruptionBudget":
		return add(o, &o.budgets, file, document)
	case "apps/v1 DaemonSet":
		return add(o, &o.daemons, file, document)
	case "serving.knative.dev/v1 Service":
		return add(o, &o.services, file, document)
	case "batch/v1 Job":
		return add(o, &o.jobs, file, document)
	case "eventing.knative.dev/v1 Broker":
		return add(o, &o.brokers, file, document)
	case "eventing.knative.dev/v1 Trigger":
		return add(o, &o.triggers, file, document)
	case "sources.knative.dev/v1 PingSource":
		return add(o, &o.schedules, file, document)
	case "traefik.io/v1alpha1 IngressRoute":
		return add(o, &o.routes, file, document)
	case "traefik.io/v1alpha1 Middleware":
		return add(o, &o.middlewares, file, document)
	}
	return fmt.Errorf("apiVersion %q with kind %q is nothing that we run", is.APIVersion, is.Kind)
}

func add[T any, P interface {
	*T
	metav1.Object
}](o *objects, to *[]object[T], file string, document []byte) error {
	v := new(T)
	if err := unmarshal(document, v); err != nil {
		return err
	}
	*to = append(*to, object[T]{file, v})
	o.placed = append(o.placed, placed{file, P(v).GetName(), P(v).GetNamespace()})
	return nil
}

// unmarshal reads one YAML document. Unlike yaml.UnmarshalStrict it minds the case of keys, as a cluster does,
// and its errors name the whole path of a field.
func unmarshal(document []byte, into any) error {
	converted, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	strict, err := json.UnmarshalStrict(converted, into)
	if err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	return errors.Join(strict...)
}
