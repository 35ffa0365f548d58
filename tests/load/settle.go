package load

import (
	"context"
	"fmt"
	"time"
)

// Eventually looks until look finds nothing missing, and returns what it found last when ctx ends first.
func Eventually(ctx context.Context, look func(ctx context.Context) error) error {
	const pause = 250 * time.Millisecond
	for {
		missing := look(ctx)
		if missing == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w, last: %w", ctx.Err(), missing)
		case <-time.After(pause):
		}
	}
}

// Reread reads some of what was acknowledged again, each with read, which returns what is wrong with it.
func Reread[T any](ctx context.Context, acknowledged *Pool[T], read func(ctx context.Context, one T) error) error {
	const some = 300
	for _, one := range acknowledged.Some(some) {
		if err := read(ctx, one); err != nil {
			return fmt.Errorf("what was acknowledged is not there: %w", err)
		}
	}
	return nil
}
