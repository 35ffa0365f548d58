package local

import (
	"cmp"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/honeydue/backend/knative"
)

// Config says what to run and where. The zero value runs this workspace's manifests in its folder .run, on a
// port that is free.
type Config struct {
	Root string // the workspace's folder; found from the working folder when empty
	Dir  string // data, logs and mails; .run in Root when empty. One system at a time may have it
	Bin  string // where programs are built; bin in Dir when empty. Systems may share it
	Port int    // on the loopback address; 0 takes a free one

	Durable    bool              // keep data through a loss of power, at the cost of speed
	BuildFlags []string          // further arguments of go build, such as -race
	Idle       time.Duration     // in the place of the manifests' idle times, when not 0
	Values     map[string]string // in the place of what ConfigMaps and Secrets hold here: "<object>/<key>"
	Manifests  *knative.Manifests
	Log        *slog.Logger // slog.DiscardHandler when nil
}

func (c Config) complete() (Config, error) {
	var err error
	if c.Root == "" {
		if c.Root, err = workspace(); err != nil {
			return c, err
		}
	}
	if c.Dir, err = filepath.Abs(cmp.Or(c.Dir, filepath.Join(c.Root, ".run"))); err != nil {
		return c, fmt.Errorf("find folder: %w", err)
	}
	if c.Bin, err = filepath.Abs(cmp.Or(c.Bin, filepath.Join(c.Dir, "bin"))); err != nil {
		return c, fmt.Errorf("find folder: %w", err)
	}
	if c.Manifests == nil {
		if c.Manifests, err = knative.Read(); err != nil {
			return c, fmt.Errorf("read manifests: %w", err)
		}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}
