package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"
)

// functions are all that can be killed, in a fixed order, so that a seed always means the same.
func functions() []string {
	return []string{"admin", "auth", "media", "notifications", "residences", "site", "sweeper", "tasks", "uploads"}
}

// reap kills one function after the other, and says which, until ctx ends: all of them in some order, then in another. One that does
// not run is passed over for the next, and is the first next time. It waits for a moment in which the function has something to do, so
// that most kills cut something off.
func reap(ctx context.Context, t *town, o options, out io.Writer) {
	if o.kill == 0 {
		return
	}
	random := rand.New(rand.NewPCG(o.seed, o.seed))
	began, clock := time.Now(), time.NewTicker(o.kill)
	defer clock.Stop()
	var order []int
	for {
		if len(order) == 0 {
			order = random.Perm(len(functions()))
		}
		select {
		case <-ctx.Done():
			return
		case <-clock.C:
		}
		for turn, i := range order {
			name := functions()[i]
			t.awaitWork(ctx, name)
			if at := time.Now(); t.at.Local.Kill(name) {
				t.book.killed(name, at)
				_, _ = fmt.Fprintf(out, "%s: killed %s\n", time.Since(began).Round(time.Second), name)
				order = slices.Delete(order, turn, turn+1)
				break
			}
		}
	}
}

// awaitWork returns when the function has something to do, or has had nothing for a while.
func (t *town) awaitWork(ctx context.Context, function string) {
	const longest, look = 2 * time.Second, time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	for {
		all, err := running(ctx, t.at)
		if err != nil || all[function].PID == 0 || all[function].InFlight > 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(look):
		}
	}
}

// tick fires the schedules that look after what was left, more often than their manifests say, so that a short soak has many ticks and
// the sweeper runs whenever others are looked at.
func tick(ctx context.Context, t *town) {
	const apart = 30 * time.Second
	clock := time.NewTicker(apart)
	defer clock.Stop()
	for {
		for _, schedule := range []string{"outbox", "deliveries"} {
			err := t.at.Local.Fire(ctx, schedule)
			if ctx.Err() != nil {
				return
			}
			t.book.expect("tick of "+schedule, err)
		}
		select {
		case <-ctx.Done():
			return
		case <-clock.C:
		}
	}
}
