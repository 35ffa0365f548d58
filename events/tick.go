package events

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// PingType is the type of the events that a PingSource sends.
const PingType = "dev.knative.sources.ping"

// A tick is one coming of a schedule.
type tick struct {
	schedule string
	noted    atomic.Bool
}

type tickKey struct{}

// TickToNote returns the name of the schedule whose tick ctx is of, for a statement that has [NotingTick] in it: once for each tick, so
// that its first statement notes it and no other does. It returns nil behind that, and for whatever is no tick.
func TickToNote(ctx context.Context) *string {
	t, ok := ctx.Value(tickKey{}).(*tick)
	if !ok || t.noted.Swap(true) {
		return nil
	}
	return &t.schedule
}

// NotingTick returns an item of a statement's WITH list that notes, among the last 20 runs of the schedule which the parameter of that
// number names, that it runs now; where that is NULL, it changes nothing. It makes a tick that finds nothing due no round trip longer.
// The statement must not wait for anything while it has the schedule's row, for which another tick at that moment waits.
func NotingTick(parameter int) string {
	return fmt.Sprintf(`noted AS (UPDATE shared_schedule SET runs = (now() || runs)[1:20] WHERE name = $%d::text)`, parameter)
}

func (c *Consumer) tick(ctx context.Context, source string) error {
	_, name, _ := strings.Cut(source, "/pingsources/")
	sweep, ok := c.Schedules[name]
	if !ok {
		c.Log.InfoContext(ctx, "tick of an unknown schedule ignored")
		return nil
	}
	if err := sweep(context.WithValue(ctx, tickKey{}, &tick{schedule: name})); err != nil {
		return fmt.Errorf("schedule %s: %w", name, errors.Join(err, c.noteFailure(ctx, name)))
	}
	return nil
}

const tickFailed = `UPDATE shared_schedule SET failed_at = now() WHERE name = $1`

// noteTimeout is short, as the time of a tick may be over when it fails.
const noteTimeout = 2 * time.Second

// noteFailure says that a tick failed just now.
func (c *Consumer) noteFailure(ctx context.Context, schedule string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	if _, err := c.DB.Exec(ctx, tickFailed, schedule); err != nil {
		return fmt.Errorf("note that it failed: %w", err)
	}
	return nil
}
