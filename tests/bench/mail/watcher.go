package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// A watcher looks again and again for how long the transactions of a role have been going on.
type watcher struct {
	cancel context.CancelFunc
	ended  chan struct{}

	mu   sync.Mutex
	most time.Duration
	err  error
}

const (
	watchEvery = 25 * time.Millisecond

	selectLongest = `
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8
FROM pg_stat_activity WHERE usename = $1 AND xact_start IS NOT NULL AND state <> 'idle'`
)

// watch watches a role on a connection of its own.
func watch(ctx context.Context, url, role string) (*watcher, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	watching, cancel := context.WithCancel(ctx)
	w := &watcher{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(w.ended)
		for more := true; more; {
			more = wait(watching, watchEvery) == nil && w.look(watching, conn, role)
		}
		w.note(0, conn.Close(context.WithoutCancel(ctx)))
	}()
	return w, nil
}

// look returns whether there is more to look for.
func (w *watcher) look(ctx context.Context, conn *pgx.Conn, role string) bool {
	var longest float64
	err := conn.QueryRow(ctx, selectLongest, role).Scan(&longest)
	if ctx.Err() != nil {
		return false
	}
	w.note(time.Duration(longest*float64(time.Second)), err)
	return err == nil
}

func (w *watcher) note(longest time.Duration, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.most, w.err = max(w.most, longest), errors.Join(w.err, err)
}

// longest returns how long the longest transaction had been going on when it was last seen: up to a look less than it took.
func (w *watcher) longest() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.most
}

// end ends the watch and returns what went wrong in it.
func (w *watcher) end() error {
	w.cancel()
	<-w.ended
	if w.err != nil {
		return fmt.Errorf("watch transactions: %w", w.err)
	}
	return nil
}
