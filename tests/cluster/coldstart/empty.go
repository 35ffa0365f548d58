package coldstart

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"

	"github.com/honeydue/backend/tests/cluster"
)

//go:embed route.yaml
var route string

// The empty service, once for requests and once for events.
const (
	empty      = "empty"
	emptyEvent = "empty-event"
)

const kservice = "services.serving.knative.dev"

// deployEmpty rolls the empty services out. All of their manifest but the program and its environment is that of tasks.
func deployEmpty(ctx context.Context, c *cluster.Cluster) error {
	image, err := c.Build(ctx, "github.com/honeydue/backend/tests/cluster/empty")
	if err != nil {
		return err
	}
	const like = "tasks"
	for _, name := range []string{empty, emptyEvent} {
		out, err := c.Kubectl(ctx, "", "get", kservice, like, "-n", cluster.Namespace, "-o", "json")
		if err != nil {
			return err
		}
		var service servingv1.Service
		if err := json.Unmarshal([]byte(out), &service); err != nil {
			return fmt.Errorf("decode service %s: %w", like, err)
		}
		labels := service.Labels
		labels["app.kubernetes.io/name"] = name
		service.ObjectMeta = metav1.ObjectMeta{Name: name, Namespace: cluster.Namespace, Labels: labels}
		service.Spec.RouteSpec = servingv1.RouteSpec{}
		service.Spec.Template.Name = ""
		service.Spec.Template.Spec.Containers[0].Image = image
		service.Spec.Template.Spec.Containers[0].Env = nil
		manifest, err := json.Marshal(map[string]any{
			"apiVersion": service.APIVersion, "kind": service.Kind, "metadata": service.ObjectMeta, "spec": service.Spec,
		})
		if err != nil {
			return fmt.Errorf("encode service %s: %w", name, err)
		}
		if _, err := c.Kubectl(ctx, string(manifest), "apply", "-f", "-"); err != nil {
			return err
		}
	}
	if _, err := c.Kubectl(ctx, route, "apply", "-f", "-"); err != nil {
		return err
	}
	_, err = c.Kubectl(ctx, "", "wait", kservice, empty, emptyEvent, "-n", cluster.Namespace, "--for=condition=Ready", "--timeout=3m")
	return err
}

// removeEmpty removes what deployEmpty has made.
func removeEmpty(ctx context.Context, c *cluster.Cluster) error {
	if _, err := c.Kubectl(ctx, route, "delete", "-f", "-", "--ignore-not-found"); err != nil {
		return err
	}
	_, err := c.Kubectl(ctx, "", "delete", kservice, empty, emptyEvent, "-n", cluster.Namespace, "--ignore-not-found")
	return err
}
