// Package seats lets a few in at once where each takes much memory.
package seats

import (
	"context"
	"time"

	"github.com/honeydue/backend/shared/problem"
)

// A Room has as many seats as its capacity: so many may be in it at once, in a process.
type Room chan struct{}

// Enter waits for a seat and returns what gives it back. A wait longer than patience is a problem 429 that says full.
func (r Room) Enter(ctx context.Context, patience time.Duration, full string) (leave func(), err error) {
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case r <- struct{}{}:
		return func() { <-r }, nil
	case <-waiting.Done():
		return nil, problem.TooMany(full, patience)
	}
}
