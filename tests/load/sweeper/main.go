// Command sweeper loads function sweeper with the ticks of its schedules, while things come due that it is there for: uploads that
// nobody attached, objects that nobody needs, events that nobody has heard, and keys that are old.
package main

import (
	"context"
	"time"

	"github.com/honeydue/backend/tests/load"
)

func main() {
	h := &house{}
	// Nobody waits for a tick, and those of two schedules share two places: one that finds much to delete holds up others.
	load.Main(load.Test{
		Function: "sweeper", Inside: true, Rate: 20, P99: 3 * time.Second, Mix: h.mix, Settle: h.settle,
	})
}

// mix has the schedules come as often, one beside the other, as they do: every 5 minutes and every hour.
func (h *house) mix(ctx context.Context, at *load.Site) (func() load.Call, error) {
	if err := h.fill(ctx, at); err != nil {
		return nil, err
	}
	return load.Mixed(
		load.Share{Weight: 12, Call: func() load.Call { return at.Tick("outbox") }},
		load.Share{Weight: 1, Call: func() load.Call { return at.Tick("uploads") }},
	), nil
}
