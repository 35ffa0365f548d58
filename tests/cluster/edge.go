package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Edge is an address of this machine that Traefik takes for the edge's: its X-Forwarded-For is believed.
const Edge = "127.0.1.1"

const (
	traefik      = "daemonset/traefik"
	traefikSpace = "kube-system"
)

// An addition appends one argument, as a JSON patch writes it.
type addition struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value string `json:"value"`
}

// trustEdge gives Traefik those settings of the overlay that it has not yet. They stay there.
func (c *Cluster) trustEdge(ctx context.Context) error {
	text, err := os.ReadFile(filepath.Join(c.root, "knative", "overlays", "cluster", "traefik.yaml"))
	if err != nil {
		return fmt.Errorf("read Traefik's settings: %w", err)
	}
	var wanted []addition
	if err := yaml.UnmarshalStrict(text, &wanted); err != nil {
		return fmt.Errorf("decode Traefik's settings: %w", err)
	}
	out, err := c.Kubectl(ctx, "", "get", traefik, "-n", traefikSpace, "-o", "jsonpath={.spec.template.spec.containers[0].args}")
	if err != nil {
		return err
	}
	var has []string
	if err := json.Unmarshal([]byte(out), &has); err != nil {
		return fmt.Errorf("decode Traefik's arguments: %w", err)
	}
	missing, err := lacking(wanted, has)
	if err != nil || len(missing) == 0 {
		return err
	}
	patch, err := json.Marshal(missing)
	if err != nil {
		return fmt.Errorf("encode Traefik's settings: %w", err)
	}
	if _, err := c.Kubectl(ctx, "", "patch", traefik, "-n", traefikSpace, "--type=json", "--patch="+string(patch)); err != nil {
		return fmt.Errorf("let Traefik trust the edge: %w", err)
	}
	_, err = c.Kubectl(ctx, "", "rollout", "status", traefik, "-n", traefikSpace, "--timeout=2m")
	return err
}

// lacking returns what is wanted and not there. A setting that is there with another value is somebody else's, and an error.
func lacking(wanted []addition, has []string) ([]addition, error) {
	var missing []addition
	for _, want := range wanted {
		if slices.Contains(has, want.Value) {
			continue
		}
		name, _, _ := strings.Cut(want.Value, "=")
		if slices.ContainsFunc(has, func(arg string) bool { return strings.HasPrefix(arg, name+"=") }) {
			return nil, fmt.Errorf("let Traefik trust the edge: it has %s with another value than %s", name, want.Value)
		}
		missing = append(missing, want)
	}
	return missing, nil
}
