package knative

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"knative.dev/serving/pkg/apis/autoscaling"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

// assemble joins what the files hold to functions and checks what one says of another.
func assemble(found objects) (*Manifests, error) {
	if len(found.namespaces) != 1 || len(found.brokers) != 1 || len(found.jobs) != 1 {
		return nil, fmt.Errorf("%s: lists %d Namespaces, %d Brokers and %d Jobs, not one of each",
			base, len(found.namespaces), len(found.brokers), len(found.jobs))
	}
	m := &Manifests{Namespace: found.namespaces[0].T.Name, Broker: *found.brokers[0].T}
	if err := found.checkNamespaces(m.Namespace); err != nil {
		return nil, err
	}
	if err := m.addJob(found.jobs[0]); err != nil {
		return nil, err
	}
	for _, service := range found.services {
		if err := m.addFunction(service); err != nil {
			return nil, fmt.Errorf("%s: %w", service.file, err)
		}
	}
	for _, route := range found.routes {
		if err := m.addRoute(route, found.middlewares); err != nil {
			return nil, fmt.Errorf("%s: %w", route.file, err)
		}
	}
	for _, schedule := range found.schedules {
		if err := m.addSchedule(schedule.T); err != nil {
			return nil, fmt.Errorf("%s: %w", schedule.file, err)
		}
	}
	for _, trigger := range found.triggers {
		if err := m.addTrigger(trigger.T); err != nil {
			return nil, fmt.Errorf("%s: %w", trigger.file, err)
		}
	}
	slices.SortFunc(m.Functions, func(a, b Function) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(m.Schedules, func(a, b PingSource) int { return cmp.Compare(a.Name, b.Name) })
	return m, nil
}

// checkNamespaces makes sure that everything names the one namespace: what names none would go to default.
func (o objects) checkNamespaces(namespace string) error {
	for _, p := range o.placed {
		if p.namespace != namespace && p.what != namespace {
			return fmt.Errorf("%s: metadata.namespace: %s is in %q, not in %q", p.file, p.what, p.namespace, namespace)
		}
	}
	return nil
}

func (m *Manifests) addJob(found object[batchv1.Job]) error {
	containers := found.T.Spec.Template.Spec.Containers
	if len(containers) != 1 {
		return fmt.Errorf("%s: spec.template.spec.containers: has %d, not one", found.file, len(containers))
	}
	program, err := goPackage(containers[0])
	if err != nil {
		return fmt.Errorf("%s: spec.template.spec.containers[0].%w", found.file, err)
	}
	m.Migrate = Job{Name: found.T.Name, Package: program, Env: containers[0].Env, Job: found.T}
	return nil
}

func (m *Manifests) addFunction(found object[servingv1.Service]) error {
	service := found.T
	if want := service.Name + "/service.yaml"; found.file != want {
		return fmt.Errorf("metadata.name: Service %s belongs in %s", service.Name, want)
	}
	if m.function(service.Name) != nil {
		return fmt.Errorf("metadata.name: a second Service %s", service.Name)
	}
	pod := service.Spec.Template.Spec
	if len(pod.Containers) != 1 {
		return fmt.Errorf("spec.template.spec.containers: has %d, not one", len(pod.Containers))
	}
	if pod.ContainerConcurrency == nil || *pod.ContainerConcurrency < 1 {
		return errors.New("spec.template.spec.containerConcurrency: must be at least 1")
	}
	if pod.TimeoutSeconds == nil || *pod.TimeoutSeconds < 1 {
		return errors.New("spec.template.spec.timeoutSeconds: must be at least 1")
	}
	program, err := goPackage(pod.Containers[0])
	if err != nil {
		return fmt.Errorf("spec.template.spec.containers[0].%w", err)
	}
	f := Function{
		Name: service.Name, Package: program, Env: pod.Containers[0].Env, Service: service,
		Host:        localHost(service.Name, service.Namespace),
		Concurrency: int(*pod.ContainerConcurrency),
		Timeout:     time.Duration(*pod.TimeoutSeconds) * time.Second,
	}
	if err := f.readScale(service.Spec.Template.Annotations); err != nil {
		return fmt.Errorf("spec.template.metadata.annotations.%w", err)
	}
	m.Functions = append(m.Functions, f)
	return nil
}

// localHost is the name of a Service inside the cluster.
func localHost(name, namespace string) string { return name + "." + namespace + ".svc.cluster.local" }

// readScale reads the autoscaler's annotations. A process is idle for its window, in which the autoscaler looks
// for requests, and then for the time that the last one is kept.
func (f *Function) readScale(annotations map[string]string) error {
	for _, v := range []struct {
		key  string
		into *int
	}{{autoscaling.MinScaleAnnotationKey, &f.MinScale}, {autoscaling.MaxScaleAnnotationKey, &f.MaxScale}} {
		n, err := strconv.Atoi(annotations[v.key])
		if err != nil || n < 0 {
			return fmt.Errorf("%s: %q is not a number of pods", v.key, annotations[v.key])
		}
		*v.into = n
	}
	window, err := time.ParseDuration(annotations[autoscaling.WindowAnnotationKey])
	if err != nil || window <= 0 {
		return fmt.Errorf("%s: %q is not a duration", autoscaling.WindowAnnotationKey,
			annotations[autoscaling.WindowAnnotationKey])
	}
	f.Idle = window
	if kept, ok := annotations[autoscaling.ScaleToZeroPodRetentionPeriodKey]; ok {
		d, err := time.ParseDuration(kept)
		if err != nil || d < 0 {
			return fmt.Errorf("%s: %q is not a duration", autoscaling.ScaleToZeroPodRetentionPeriodKey, kept)
		}
		f.Idle += d
	}
	return nil
}

// goPackage returns the package of an image that ko builds.
func goPackage(c corev1.Container) (string, error) {
	program, ok := strings.CutPrefix(c.Image, "ko://")
	if !ok {
		return "", fmt.Errorf("image: %q does not begin with ko://", c.Image)
	}
	return program, nil
}

func (m *Manifests) function(name string) *Function {
	i := slices.IndexFunc(m.Functions, func(f Function) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &m.Functions[i]
}
