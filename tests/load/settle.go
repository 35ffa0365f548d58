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
