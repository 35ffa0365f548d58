package cluster

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// Edge is an address of this machine that Traefik takes for the edge's: its X-Forwarded-For is believed.
const Edge = "127.0.1.1"

const (
	traefik      = "daemonset/traefik"
	traefikSpace = "kube-system"
)

// trustEdge gives Traefik the settings that the overlay asks for, unless it has them.
func (c *Cluster) trustEdge(ctx context.Context) error {
	args, err := c.Kubectl(ctx, "", "get", traefik, "-n", traefikSpace, "-o", "jsonpath={.spec.template.spec.containers[0].args}")
	if err != nil {
		return err
	}
	if strings.Contains(args, "forwardedheaders.trustedips") {
		return nil
	}
	patch := filepath.Join(c.root, "knative", "overlays", "cluster", "traefik.yaml")
	if _, err := c.Kubectl(ctx, "", "patch", traefik, "-n", traefikSpace, "--type=json", "--patch-file="+patch); err != nil {
		return fmt.Errorf("let Traefik trust the edge: %w", err)
	}
	_, err = c.Kubectl(ctx, "", "rollout", "status", traefik, "-n", traefikSpace, "--timeout=2m")
	return err
}
