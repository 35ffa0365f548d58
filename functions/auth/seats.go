package main

import (
	"context"
	"time"

	"github.com/honeydue/backend/shared/problem"
)

// seats are for what takes much memory: as many as there are may do it at once in a process.
type seats chan struct{}

// enter waits for a seat and returns what gives it back. A wait longer than patience is a problem 429 that says full.
func (s seats) enter(ctx context.Context, patience time.Duration, full string) (leave func(), err error) {
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case s <- struct{}{}:
		return func() { <-s }, nil
	case <-waiting.Done():
		return nil, problem.TooMany(full, patience)
	}
}
