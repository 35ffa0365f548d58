package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/honeydue/backend/tests/bench/proc"
	"github.com/honeydue/backend/tests/load"
)

// apart is how long it is from one sample to the next.
const apart = 5 * time.Second

// A sample is how much of something there was at a moment.
type sample struct {
	after time.Duration // since the first one
	what  string
	of    string // the function
	pid   int    // of its process; 0: all of them together
	n     float64
}

// What is counted.
const (
	memory      = "memory, MiB"
	goroutines  = "goroutines"
	files       = "files and sockets"
	threads     = "threads"
	connections = "connections of PostgreSQL"
	clients     = "connections to PgBouncer"
	cached      = "connections to Redis"
)

// A watcher counts what the system holds.
type watcher struct {
	at   *load.Site
	held *counters
	pids map[int]bool // that were seen
}

// watch opens what it takes to count.
func watch(ctx context.Context, at *load.Site) (*watcher, error) {
	held, err := openCounters(ctx, at)
	if err != nil {
		return nil, err
	}
	return &watcher{at: at, held: held, pids: map[int]bool{}}, nil
}

// samples counts until ctx ends. What cannot be counted for a reason other than a kill is noted in the book.
func (w *watcher) samples(ctx context.Context, b *book) (all []sample) {
	began, clock := time.Now(), time.NewTicker(apart)
	defer clock.Stop()
	for {
		after := time.Since(began)
		taken, err := w.sample(ctx)
		if ctx.Err() != nil {
			return all
		}
		b.expect("sample", err)
		for _, s := range taken {
			s.after = after
			all = append(all, s)
		}
		select {
		case <-ctx.Done():
			return all
		case <-clock.C:
		}
	}
}

func (w *watcher) sample(ctx context.Context) ([]sample, error) {
	all, err := w.processes(ctx)
	if err != nil {
		return nil, err
	}
	more, err := w.held.sample(ctx)
	return append(all, more...), err
}

// processes counts what the function's processes hold. One that a kill met between two looks has no sample this time.
func (w *watcher) processes(ctx context.Context) (all []sample, err error) {
	running, err := running(ctx, w.at)
	if err != nil {
		return nil, err
	}
	for name, process := range running {
		pid := process.PID
		w.pids[pid] = true
		held, err := proc.Holds(pid)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		// A process that was killed at this moment, or has just begun, has no answer. compare looks that most have one.
		routines, err := routinesOf(ctx, pid)
		if err != nil {
			continue
		}
		for what, n := range map[string]float64{
			memory: float64(held.Resident) / (1 << 20), files: float64(held.Files), threads: float64(held.Threads), goroutines: routines,
		} {
			all = append(all, sample{what: what, of: name, pid: pid, n: n})
		}
	}
	return all, nil
}

// routinesOf asks a process how many goroutines it has.
func routinesOf(ctx context.Context, pid int) (float64, error) {
	profile, err := load.Profile(ctx, pid, "goroutine?debug=1")
	if err != nil {
		return 0, err
	}
	first, _, _ := bytes.Cut(profile, []byte("\n"))
	total, ok := bytes.CutPrefix(first, []byte("goroutine profile: total "))
	if !ok {
		return 0, errors.New("count goroutines: the profile begins with another line")
	}
	n, err := strconv.ParseFloat(string(total), 64)
	if err != nil {
		return 0, fmt.Errorf("count goroutines: %w", err)
	}
	return n, nil
}

// close removes the sockets by which processes told of themselves that had no time to do so.
func (w *watcher) close() error {
	for pid := range w.pids {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); errors.Is(err, os.ErrNotExist) {
			_ = os.Remove(filepath.Join(os.TempDir(), fmt.Sprintf("honeydue-profile-%d.sock", pid)))
		}
	}
	return w.held.close()
}
