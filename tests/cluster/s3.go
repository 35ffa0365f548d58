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
	if o.Port, err = portOf(settings, "S3_ENDPOINT", o.Host); err != nil {
		return err
	}
	if c.S3, err = devserver.StartS3(ctx, o); err != nil {
		return fmt.Errorf("start S3: %w", err)
	}
	return c.S3.CreateBucket(ctx, settings["S3_BUCKET"])
}

// portOf returns the port of the address that a setting names, which must be one of host.
func portOf(settings map[string]string, name, host string) (int, error) {
	address, err := url.Parse(settings[name])
	if err != nil {
		return 0, fmt.Errorf("read %s of the overlay: %w", name, err)
	}
	if address.Hostname() != host {
		return 0, fmt.Errorf("read %s of the overlay: %s is not CLUSTER_HOST_ADDRESS", name, address.Hostname())
	}
	port, err := strconv.Atoi(address.Port())
	if err != nil {
		return 0, fmt.Errorf("read %s of the overlay: %w", name, err)
	}
	return port, nil
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
