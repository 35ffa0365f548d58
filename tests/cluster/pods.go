package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Labels that Knative puts on a function's pods, and its names for their containers.
const (
	serviceLabel     = "serving.knative.dev/service"
	revisionLabel    = "serving.knative.dev/revision"
	userContainer    = "user-container"
	sidecarContainer = "queue-proxy"
)

// glance lies between two looks at pods.
const glance = 250 * time.Millisecond

// A Pod is one process of a function, with Knative's sidecar.
type Pod struct {
	Name, Function, Revision string

	ID      string // its uid
	Address string // on which its containers listen, and which this machine reaches; empty before it has one

	Ready  bool
	Ending bool // it finishes what it has begun

	Restarts int // of its own container

	container, sidecar string // ids of its own container and Knative's, empty until they have started
}

// Pods lists the functions' pods, also those that start or end; without names, those of all functions.
func (c *Cluster) Pods(ctx context.Context, functions ...string) ([]Pod, error) {
	selector := serviceLabel
	if len(functions) > 0 {
		selector += " in (" + strings.Join(functions, ",") + ")"
	}
	var list corev1.PodList
	if err := c.read(ctx, &list, "pods", "-n", Namespace, "-l", selector); err != nil {
		return nil, err
	}
	var pods []Pod
	for _, p := range list.Items {
		pod := Pod{Name: p.Name, Function: p.Labels[serviceLabel], Revision: p.Labels[revisionLabel], Ending: p.DeletionTimestamp != nil}
		pod.ID, pod.Address = string(p.UID), p.Status.PodIP
		pod.Ready = !pod.Ending && slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		})
		for _, s := range p.Status.ContainerStatuses {
			id := ""
			if s.State.Running != nil {
				_, id, _ = strings.Cut(s.ContainerID, "://")
			}
			switch s.Name {
			case userContainer:
				pod.Restarts, pod.container = int(s.RestartCount), id
			case sidecarContainer:
				pod.sidecar = id
			}
		}
		pods = append(pods, pod)
	}
	return pods, nil
}

// AwaitPods waits until a function's pods are as they should be, and returns them.
func (c *Cluster) AwaitPods(ctx context.Context, function string, good func([]Pod) bool) ([]Pod, error) {
	for {
		pods, err := c.Pods(ctx, function)
		if err != nil {
			return nil, err
		}
		if good(pods) {
			return pods, nil
		}
		select {
		case <-ctx.Done():
			return pods, fmt.Errorf("wait for pods of %s: %w, last: %+v", function, ctx.Err(), pods)
		case <-time.After(glance):
		}
	}
}

// ReadyPods is what AwaitPods waits for when that many pods are to be ready and no other one starts or ends.
func ReadyPods(n int) func([]Pod) bool {
	return func(pods []Pod) bool {
		return len(pods) == n && !slices.ContainsFunc(pods, func(p Pod) bool { return !p.Ready })
	}
}

// AwaitZero waits until the autoscaler has let go of every pod of the functions, and these are gone; without names, of all. It
// has each end as soon as its program has, without the half minute that Knative's sidecar waits for stragglers.
func (c *Cluster) AwaitZero(ctx context.Context, functions ...string) error {
	told := map[string]bool{}
	for {
		pods, err := c.Pods(ctx, functions...)
		if err != nil {
			return err
		}
		if len(pods) == 0 {
			return nil
		}
		for _, p := range pods {
			if !p.Ending || told[p.Name] {
				continue
			}
			if err := p.hasten(); err != nil {
				return err
			}
			told[p.Name] = true
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for zero pods: %w, last: %+v", ctx.Err(), pods)
		case <-time.After(glance):
		}
	}
}

// Functions returns the names of all functions.
func (c *Cluster) Functions() []string {
	var names []string
	for _, f := range c.Manifests.Functions {
		names = append(names, f.Name)
	}
	return names
}

// Containers returns the ids of its own container and of Knative's sidecar, empty until they have started.
func (p Pod) Containers() (own, sidecar string) { return p.container, p.sidecar }

// Kill ends a pod's program with SIGKILL, as a crash would; Knative's sidecar beside it lives on.
func (p Pod) Kill() error {
	told, err := signal(p.container, syscall.SIGKILL)
	if err == nil && told == 0 {
		err = errors.New("it does not run")
	}
	if err != nil {
		return fmt.Errorf("kill %s: %w", p.Name, err)
	}
	return nil
}

// hasten ends the sidecar of a pod that is ending, which takes a second SIGTERM for "now". The program is then told to end as
// ever, and takes its time.
func (p Pod) hasten() error {
	if _, err := signal(p.sidecar, syscall.SIGTERM); err != nil {
		return fmt.Errorf("hasten the end of %s: %w", p.Name, err)
	}
	return nil
}
