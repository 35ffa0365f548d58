package coldstart

import (
	"context"
	_ "embed"

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

// EmptyPackage is the program of the empty service.
const EmptyPackage = "github.com/honeydue/backend/tests/cluster/empty"

// deployEmpty rolls the empty services out. All of their manifest but the program and its environment is that of tasks.
func deployEmpty(ctx context.Context, c *cluster.Cluster) error {
	image, err := c.Build(ctx, EmptyPackage)
	if err != nil {
		return err
	}
	for _, name := range []string{empty, emptyEvent} {
		if err := c.Copy(ctx, "tasks", name, func(spec *servingv1.ServiceSpec) {
			spec.Template.Spec.Containers[0].Image, spec.Template.Spec.Containers[0].Env = image, nil
		}); err != nil {
			return err
		}
	}
	if _, err := c.Kubectl(ctx, route, "apply", "-f", "-"); err != nil {
		return err
	}
	return c.AwaitCopies(ctx, empty, emptyEvent)
}

// removeEmpty removes what deployEmpty has made.
func removeEmpty(ctx context.Context, c *cluster.Cluster) error {
	if _, err := c.Kubectl(ctx, route, "delete", "-f", "-", "--ignore-not-found"); err != nil {
		return err
	}
	return c.RemoveCopies(ctx, empty, emptyEvent)
}
