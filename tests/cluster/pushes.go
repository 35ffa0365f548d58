package cluster

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"

	"github.com/honeydue/backend/shared/devserver/push"
)

// startPushes starts what stands for both push services where the overlay's settings say that they are.
func (c *Cluster) startPushes(host string) error {
	settings, err := readSettings(filepath.Join(c.root, "knative", "overlays", "cluster", "honeydue.env"))
	if err != nil {
		return err
	}
	port, err := portOf(settings, "APNS_URL", host)
	if err != nil {
		return err
	}
	keys, err := push.NewCredentials()
	if err != nil {
		return fmt.Errorf("start push services: %w", err)
	}
	c.Pushes = push.New(keys, c.slog())
	c.Pushes.ListenOn(net.JoinHostPort(host, strconv.Itoa(port)))
	if err := c.Pushes.Start(); err != nil {
		return fmt.Errorf("start push services: %w", err)
	}
	return nil
}
