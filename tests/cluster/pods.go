package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Labels that Knative puts on a function's pods.
const (
	serviceLabel  = "serving.knative.dev/service"
	revisionLabel = "serving.knative.dev/revision"
	userContainer = "user-container"
)

// A Pod is one process of a function, with Knative's sidecar.
type Pod struct {
	Name, Function, Revision string

	Ready  bool
	Ending bool // it finishes what it has begun

	Restarts int // of its own container

	container string // id, empty until it has started
}

// Pods lists a function's pods, also those that start or end.
func (c *Cluster) Pods(ctx context.Context, function string) ([]Pod, error) {
	var list corev1.PodList
	if err := c.read(ctx, &list, "pods", "-n", Namespace, "-l", serviceLabel+"="+function); err != nil {
		return nil, err
	}
	var pods []Pod
	for _, p := range list.Items {
		pod := Pod{Name: p.Name, Function: function, Revision: p.Labels[revisionLabel], Ending: p.DeletionTimestamp != nil}
		pod.Ready = !pod.Ending && slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		})
		for _, s := range p.Status.ContainerStatuses {
			if s.Name != userContainer {
				continue
			}
			pod.Restarts = int(s.RestartCount)
			if s.State.Running != nil {
				_, pod.container, _ = strings.Cut(s.ContainerID, "://")
			}
		}
		pods = append(pods, pod)
	}
	return pods, nil
}

// AwaitPods waits until a function's pods are as they should be, and returns them.
func (c *Cluster) AwaitPods(ctx context.Context, function string, good func([]Pod) bool) ([]Pod, error) {
	const pause = 250 * time.Millisecond
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
		case <-time.After(pause):
		}
	}
}

// ReadyPods is what AwaitPods waits for when that many pods are to be ready and no other one starts or ends.
func ReadyPods(n int) func([]Pod) bool {
	return func(pods []Pod) bool {
		return len(pods) == n && !slices.ContainsFunc(pods, func(p Pod) bool { return !p.Ready })
	}
}

// AwaitZero waits until none of the functions has a pod; without names, until none of all has.
func (c *Cluster) AwaitZero(ctx context.Context, functions ...string) error {
	if len(functions) == 0 {
		functions = c.Functions()
	}
	for _, function := range functions {
		for {
			pods, err := c.Pods(ctx, function)
			if err != nil {
				return err
			}
			if len(pods) == 0 {
				break
			}
			if _, err := c.Kubectl(ctx, "", "wait", "pod", "-n", Namespace, "-l", serviceLabel+"="+function, "--for=delete", "--timeout=1h"); err != nil {
				return fmt.Errorf("wait for zero pods of %s: %w", function, err)
			}
		}
	}
	return nil
}

// Functions returns the names of all functions.
func (c *Cluster) Functions() []string {
	var names []string
	for _, f := range c.Manifests.Functions {
		names = append(names, f.Name)
	}
	return names
}

// Kill ends a pod's program with SIGKILL, as a crash would; Knative's sidecar beside it lives on.
func (p Pod) Kill() error {
	pids, err := processes(p.container)
	if err != nil {
		return fmt.Errorf("kill %s: %w", p.Name, err)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			return fmt.Errorf("kill %s: %w", p.Name, err)
		}
	}
	return nil
}
