package cluster

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

const kservice = "services.serving.knative.dev"

// Copy deploys a Service under another name that is like a function's but for what change does to it. No path leads to it from outside,
// and nothing that was rolled out changes.
func (c *Cluster) Copy(ctx context.Context, function, name string, change func(*servingv1.ServiceSpec)) error {
	var service servingv1.Service
	if err := c.read(ctx, &service, kservice, function, "-n", Namespace); err != nil {
		return err
	}
	labels := service.Labels
	labels["app.kubernetes.io/name"] = name
	service.Spec.RouteSpec = servingv1.RouteSpec{}
	service.Spec.Template.Name = ""
	change(&service.Spec)
	manifest, err := json.Marshal(map[string]any{
		"apiVersion": service.APIVersion, "kind": service.Kind, "spec": service.Spec,
		"metadata": metav1.ObjectMeta{Name: name, Namespace: Namespace, Labels: labels},
	})
	if err != nil {
		return fmt.Errorf("encode service %s: %w", name, err)
	}
	_, err = c.Kubectl(ctx, string(manifest), "apply", "-f", "-")
	return err
}

// AwaitCopies waits until Services that Copy deployed are ready.
func (c *Cluster) AwaitCopies(ctx context.Context, names ...string) error {
	_, err := c.Kubectl(ctx, "", append(append([]string{"wait", kservice}, names...), "-n", Namespace, "--for=condition=Ready", "--timeout=3m")...)
	return err
}

// RemoveCopies deletes Services that Copy deployed, where they are there.
func (c *Cluster) RemoveCopies(ctx context.Context, names ...string) error {
	_, err := c.Kubectl(ctx, "", append(append([]string{"delete", kservice}, names...), "-n", Namespace, "--ignore-not-found")...)
	return err
}
