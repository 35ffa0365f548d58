package local

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/honeydue/backend/knative"
)

// maxWaiting bounds the requests that wait for a process or for their turn in it.
const maxWaiting = 1000

var (
	errFull    = errors.New("too many requests wait")
	errStopped = errors.New("the system is stopping")
	errDied    = errors.New("the program ended before it was ready")
)

// A function is what Knative makes of a Service, on one machine: nothing at first, one process from the first
// request on, nothing again when it was idle for long enough.
type function struct {
	knative.Function

	program string
	env     []string
	logs    *logWriter
	log     *slog.Logger
	idle    time.Duration

	slots    chan struct{}   // one for each request inside the process
	stopping context.Context //nolint:containedctx // ends with the system
	stopped  context.CancelFunc
	working  sync.WaitGroup

	mu        sync.Mutex
	current   *process              // takes requests, or is about to
	processes map[*process]struct{} // all that run, those that drain included
	requests  int                   // waiting or inside
	idling    *time.Timer
	starts    int
	cold      time.Duration // of the last start
	failure   string        // why the last process ended by itself; empty again once another is ready
}

func newFunction(f knative.Function, program string, env []string, logs *logWriter, log *slog.Logger) *function {
	fn := &function{
		Function: f, program: program, env: env, logs: logs, log: log.With("function", f.Name), idle: f.Idle,
		slots: make(chan struct{}, f.Concurrency), processes: map[*process]struct{}{},
	}
	fn.stopping, fn.stopped = context.WithCancel(context.Background())
	return fn
}

// enter waits for a place among the requests that the process may have at once.
func (f *function) enter(ctx context.Context) error {
	f.mu.Lock()
	if f.stopping.Err() != nil {
		f.mu.Unlock()
		return errStopped
	}
	if f.requests >= maxWaiting+cap(f.slots) {
		f.mu.Unlock()
		return errFull
	}
	f.requests++
	if f.idling != nil {
		f.idling.Stop()
	}
	f.mu.Unlock()
	select {
	case f.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		f.left()
		return ctx.Err()
	}
}

// leave gives the place back.
func (f *function) leave() {
	<-f.slots
	f.left()
}

func (f *function) left() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests--
	if f.requests == 0 && f.MinScale == 0 && f.stopping.Err() == nil {
		f.idling = time.AfterFunc(f.idle, f.sleep)
	}
}

// running returns the process, started if there is none, once it is ready.
func (f *function) running(ctx context.Context) (*process, error) {
	for {
		p, err := f.get()
		if err != nil {
			return nil, err
		}
		select {
		case <-p.ready:
			return p, nil
		case <-p.ended:
			if taken(p.host) {
				continue // someone was faster to listen on the port
			}
			return nil, errDied
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (f *function) get() (*process, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.current != nil && !isClosed(f.current.ended) {
		return f.current, nil
	}
	if f.stopping.Err() != nil {
		return nil, errStopped
	}
	p, err := startProcess(f.program, slices.Clone(f.env), f.logs.newRun())
	if err != nil {
		return nil, err
	}
	f.current = p
	f.processes[p] = struct{}{}
	f.starts++
	f.working.Go(func() { f.watch(p) })
	return p, nil
}
