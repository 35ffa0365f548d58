package cluster

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// configureKnative gives Knative Serving the settings that production has, beside those of this cluster. They stay there.
func (c *Cluster) configureKnative(ctx context.Context) error {
	files, err := filepath.Glob(filepath.Join(c.root, "k3s", "knative", "serving", "config-*.yaml"))
	if err == nil && len(files) == 0 {
		err = errors.New("there are none")
	}
	if err != nil {
		return fmt.Errorf("find Knative's settings: %w", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		if _, err := c.Kubectl(ctx, "", "patch", "configmap", name, "--namespace=knative-serving", "--type=merge", "--patch-file="+file); err != nil {
			return fmt.Errorf("set Knative's %s: %w", name, err)
		}
	}
	return nil
}
