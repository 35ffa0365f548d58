package cluster

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	reporting = 2 * time.Minute
	lastLines = 20
)

// Report writes the state of every object of ours and the last lines of every pod, those of Knative and Traefik as well. It
// writes no Secret. What cannot be read is said in its place.
func (c *Cluster) Report(ctx context.Context, w io.Writer) {
	ctx, cancel := context.WithTimeout(ctx, reporting)
	defer cancel()
	c.tell(ctx, w, "get", "nodes,namespaces", "-o", "wide")
	for _, namespace := range []string{Namespace, eventing} {
		for _, kind := range c.kinds(ctx, w) {
			c.tell(ctx, w, "get", kind, "-n", namespace, "-o", "wide", "--ignore-not-found")
		}
		c.tell(ctx, w, "get", "events", "-n", namespace, "--sort-by=.lastTimestamp")
	}
	for _, kind := range []string{"services.serving.knative.dev", "revisions.serving.knative.dev", "podautoscalers.autoscaling.internal.knative.dev",
		"ingresses.networking.internal.knative.dev", "jobs.batch", "pods"} {
		c.tell(ctx, w, "describe", kind, "-n", Namespace, "--show-events=false")
	}
	for _, namespace := range []string{Namespace, eventing} {
		c.lastWords(ctx, w, namespace, func(string) bool { return true })
	}
	// Those of others say much when all is well.
	for _, namespace := range []string{"knative-serving", "kube-system"} {
		c.lastWords(ctx, w, namespace, func(line string) bool { return strings.Contains(line, "ERR") || strings.Contains(line, "WRN") })
	}
}

// kinds lists all kinds of objects that a namespace may hold, but for those that hold secrets and those that repeat others.
func (c *Cluster) kinds(ctx context.Context, w io.Writer) []string {
	out, err := c.Kubectl(ctx, "", "api-resources", "--namespaced", "--verbs=list", "-o", "name")
	if err != nil {
		_, _ = fmt.Fprintln(w, err)
		return nil
	}
	var kinds []string
	for _, kind := range strings.Fields(out) {
		switch {
		case kind == "secrets", strings.HasPrefix(kind, "events"), strings.HasPrefix(kind, "controllerrevisions"),
			strings.HasSuffix(kind, ".metrics.k8s.io"):
		default:
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// lastWords writes the last lines of every container of a namespace, and of the one that it replaced, that are worth it.
func (c *Cluster) lastWords(ctx context.Context, w io.Writer, namespace string, worth func(line string) bool) {
	var list corev1.PodList
	if err := c.read(ctx, &list, "pods", "-n", namespace); err != nil {
		_, _ = fmt.Fprintln(w, err)
		return
	}
	for _, pod := range list.Items {
		for _, container := range pod.Status.ContainerStatuses {
			args := []string{"logs", pod.Name, "-n", namespace, "-c", container.Name, "--tail=-1"}
			c.tail(ctx, w, worth, args...)
			if container.RestartCount > 0 {
				c.tail(ctx, w, worth, append(args, "--previous")...)
			}
		}
	}
}

func (c *Cluster) tail(ctx context.Context, w io.Writer, worth func(line string) bool, args ...string) {
	out, err := c.Kubectl(ctx, "", args...)
	if err != nil {
		out += err.Error()
	}
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(out), "\n"), func(line string) bool { return err == nil && !worth(line) })
	if len(lines) > 0 {
		write(w, strings.Join(lines[max(0, len(lines)-lastLines):], "\n"), args)
	}
}

// tell writes what kubectl prints, unless it has nothing to say.
func (c *Cluster) tell(ctx context.Context, w io.Writer, args ...string) {
	out, err := c.Kubectl(ctx, "", args...)
	if err != nil {
		out += err.Error()
	}
	if out = strings.TrimSpace(out); out != "" {
		write(w, out, args)
	}
}

func write(w io.Writer, out string, args []string) {
	_, _ = fmt.Fprintf(w, "\n── kubectl %s\n%s\n", strings.Join(args, " "), out)
}
