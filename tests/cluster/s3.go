package cluster

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/honeydue/backend/shared/devserver"
)

// startS3 starts the S3 server where the overlay's settings say that it is, since phones are sent there as well, and makes
// their bucket.
func (c *Cluster) startS3(ctx context.Context, o devserver.Options) error {
	settings, err := readSettings(filepath.Join(c.root, "knative", "overlays", "cluster", "honeydue.env"))
	if err != nil {
		return err
	}
	endpoint, err := url.Parse(settings["S3_ENDPOINT"])
	if err != nil {
		return fmt.Errorf("read S3_ENDPOINT of the overlay: %w", err)
	}
	if endpoint.Hostname() != o.Host {
		return fmt.Errorf("read S3_ENDPOINT of the overlay: %s is not CLUSTER_HOST_ADDRESS", endpoint.Hostname())
	}
	if o.Port, err = strconv.Atoi(endpoint.Port()); err != nil {
		return fmt.Errorf("read S3_ENDPOINT of the overlay: %w", err)
	}
	if c.S3, err = devserver.StartS3(ctx, o); err != nil {
		return fmt.Errorf("start S3: %w", err)
	}
	return c.S3.CreateBucket(ctx, settings["S3_BUCKET"])
}

// readSettings reads the lines NAME=value of a file.
func readSettings(file string) (map[string]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	settings := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			settings[name] = value
		}
	}
	return settings, nil
}
