package main

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/honeydue/backend/shared/devserver/push"
)

// openPushes starts what stands for the providers of pushes.
func openPushes() (*push.Double, error) {
	credentials, err := push.NewCredentials()
	if err != nil {
		return nil, fmt.Errorf("make credentials: %w", err)
	}
	double := push.New(credentials, slog.New(slog.DiscardHandler))
	if err := double.Start(); err != nil {
		return nil, err
	}
	return double, nil
}

// A pushTally is what came of pushes that were due.
type pushTally struct {
	sent    int
	lost    int // devices without a push
	doubled int // pushes to a device that had one before
	latest  time.Time
}

// countPushes compares what came with so many devices, each of which is to get one push.
func countPushes(double *push.Double, devices int) pushTally {
	var t pushTally
	got := map[string]bool{}
	for _, p := range double.Pushes() {
		got[p.DeviceToken] = true
		t.sent, t.latest = t.sent+1, later(t.latest, p.At)
	}
	t.lost, t.doubled = devices-len(got), t.sent-len(got)
	return t
}
