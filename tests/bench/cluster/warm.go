package main

import (
	"context"
	_ "embed"
	"errors"
	"net"
	"net/http"
	"net/netip"

	servingv1 "knative.dev/serving/pkg/apis/serving/v1"

	"github.com/honeydue/backend/tests/cluster"
	"github.com/honeydue/backend/tests/cluster/coldstart"
)

//go:embed warm.yaml
var routes string

// The services that stay warm: one like tasks, and the empty one with the same manifest. Each keeps one pod, so that every way leads to
// the same process.
const (
	warmTasks = "warm-tasks"
	warmEmpty = "warm-empty"
)

// Ports of a pod: the program's own, and that of Knative's sidecar.
const (
	ownPort     = "8080"
	sidecarPort = "8012"
)

// A warm service is a pod, and the ways to it.
type warm struct {
	name string
	pod  cluster.Pod
}

// deployWarm rolls both services out and waits until their pods are ready.
func deployWarm(ctx context.Context, c *cluster.Cluster) (tasks, empty warm, err error) {
	image, err := c.Build(ctx, coldstart.EmptyPackage)
	if err != nil {
		return tasks, empty, err
	}
	stays := func(spec *servingv1.ServiceSpec) {
		spec.Template.Annotations["autoscaling.knative.dev/min-scale"] = "1"
		spec.Template.Annotations["autoscaling.knative.dev/max-scale"] = "1"
	}
	err = c.Copy(ctx, "tasks", warmTasks, stays)
	if err != nil {
		return tasks, empty, err
	}
	err = c.Copy(ctx, "tasks", warmEmpty, func(spec *servingv1.ServiceSpec) {
		stays(spec)
		spec.Template.Spec.Containers[0].Image, spec.Template.Spec.Containers[0].Env = image, nil
	})
	if err != nil {
		return tasks, empty, err
	}
	if _, err := c.Kubectl(ctx, routes, "apply", "-f", "-"); err != nil {
		return tasks, empty, err
	}
	if err := c.AwaitCopies(ctx, warmTasks, warmEmpty); err != nil {
		return tasks, empty, err
	}
	if tasks, err = find(ctx, c, warmTasks); err != nil {
		return tasks, empty, err
	}
	empty, err = find(ctx, c, warmEmpty)
	return tasks, empty, err
}

func find(ctx context.Context, c *cluster.Cluster, name string) (warm, error) {
	pods, err := c.AwaitPods(ctx, name, cluster.ReadyPods(1))
	if err != nil {
		return warm{}, err
	}
	return warm{name, pods[0]}, nil
}

// removeWarm removes what deployWarm has made.
func removeWarm(ctx context.Context, c *cluster.Cluster) error {
	_, err := c.Kubectl(ctx, routes, "delete", "-f", "-", "--ignore-not-found")
	return errors.Join(err, c.RemoveCopies(ctx, warmTasks, warmEmpty))
}

// A way leads callers to a pod.
type way struct {
	name string
	url  string                 // of the root, without a last slash
	dial func() *http.Transport // a new one
}

// through is the way of a phone: the edge's connection to the ingress, Traefik twice, activator and sidecar.
func (w warm) through(c *cluster.Cluster) way {
	return way{name: "Traefik twice, activator, queue-proxy", url: "http://" + w.name + ".myhoneydue.com", dial: func() *http.Transport {
		return c.Outside(netip.MustParseAddr(cluster.Edge))
	}}
}

// alone is the pod's own port, to which this machine, being the node, has a route.
func (w warm) alone() way { return w.at("alone", ownPort) }

// sidecar is Knative's sidecar in front of it.
func (w warm) sidecar() way { return w.at("queue-proxy", sidecarPort) }

func (w warm) at(name, port string) way {
	return way{name: name, url: "http://" + net.JoinHostPort(w.pod.Address, port), dial: func() *http.Transport { return &http.Transport{} }}
}
