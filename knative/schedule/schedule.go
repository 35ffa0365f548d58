// Package schedule fires PingSources as Knative Eventing does: at each tick of a source's cron line, in its
// zone, its sink gets one event of type dev.knative.sources.ping. A tick may be missed and is never made up for.
package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/robfig/cron/v3"

	"github.com/honeydue/backend/knative/broker"
)

// ErrUnknown is Fire's answer for a name that no source has.
var ErrUnknown = errors.New("no such schedule")

// Options says what a Scheduler fires.
type Options struct {
	Sources []Source
	Resolve broker.Resolver
	// Log gets a line for each event that its sink did not take; slog.Default when nil.
	Log *slog.Logger

	// Now and After are the clock; time.Now and time.After when nil.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
	// Jitter is how long a tick holds back, so that not all fire at once; up to 500 ms when nil.
	Jitter func() time.Duration
}

// Scheduler fires sources until it is closed.
type Scheduler struct {
	options Options
	entries map[string]*entry
	client  *http.Client

	// Ticks have no caller whose context they could take; Close ends them.
	ctx     context.Context //nolint:containedctx // see above
	cancel  context.CancelFunc
	closing chan struct{}
	once    sync.Once
	working sync.WaitGroup
}

// entry is a Source that was read and found good.
type entry struct {
	Source
	ticks cron.Schedule
	event event.Event
}

// New checks the sources, whose names must all differ, and starts them. Close it.
func New(o Options) (*Scheduler, error) {
	if o.Resolve == nil {
		o.Resolve = func(_ context.Context, ref broker.Ref) (string, error) {
			return "", fmt.Errorf("no resolver for %s", ref.Kind)
		}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = time.After
	}
	if o.Jitter == nil {
		o.Jitter = func() time.Duration { return rand.N(500 * time.Millisecond) } //nolint:gosec // spreads load, no secret
	}
	s := &Scheduler{options: o, entries: map[string]*entry{}, client: newClient(), closing: make(chan struct{})}
	for _, source := range o.Sources {
		e, err := source.read()
		if err != nil {
			return nil, fmt.Errorf("schedule %s: %w", source.Name, err)
		}
		if s.entries[source.Name] != nil {
			return nil, fmt.Errorf("schedule %s: there are two", source.Name)
		}
		s.entries[source.Name] = e
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for _, e := range s.entries {
		s.working.Add(1)
		go s.tick(e)
	}
	return s, nil
}

// tick fires one source at each of its times. While one event is on its way the source's next ticks are
// missed, as a sink that is down for longer than that misses them too.
func (s *Scheduler) tick(e *entry) {
	defer s.working.Done()
	from := s.options.Now()
	for {
		next := e.ticks.Next(from)
		if next.IsZero() {
			s.options.Log.WarnContext(s.ctx, "schedule never fires again", slog.String("schedule", e.Name))
			return
		}
		if !s.wait(s.ctx, next.Sub(s.options.Now())) || !s.wait(s.ctx, s.options.Jitter()) {
			return
		}
		if err := s.send(s.ctx, e); err != nil {
			s.options.Log.WarnContext(s.ctx, "schedule missed its sink",
				slog.String("schedule", e.Name), slog.Time("at", next), slog.String("error", err.Error()))
		}
		// A timer may end a moment before the wall clock says so; the same tick must not fire twice.
		if from = s.options.Now(); from.Before(next) {
			from = next
		}
	}
}

// wait reports whether the time passed; false means that ctx ended or the Scheduler closes.
func (s *Scheduler) wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-s.closing:
		return false
	default:
	}
	if d <= 0 {
		return true
	}
	select {
	case <-s.options.After(d):
		return true
	case <-s.closing:
		return false
	case <-ctx.Done():
		return false
	}
}

// Fire sends the named source's event now, whatever its cron line says, and returns once its sink has it.
// An error is ErrUnknown, or says why the sink did not take it.
func (s *Scheduler) Fire(ctx context.Context, name string) error {
	e := s.entries[name]
	if e == nil {
		return fmt.Errorf("fire %s: %w", name, ErrUnknown)
	}
	if err := s.send(ctx, e); err != nil {
		return fmt.Errorf("fire %s: %w", name, err)
	}
	return nil
}

// Close stops the sources and waits for events on their way, whose retries it cuts off. When ctx ends first
// those are given up and its error returned.
func (s *Scheduler) Close(ctx context.Context) error {
	s.once.Do(func() { close(s.closing) })
	idle := make(chan struct{})
	go func() {
		s.working.Wait()
		close(idle)
	}()
	var err error
	select {
	case <-idle:
	case <-ctx.Done():
		err = fmt.Errorf("close schedules: %w", ctx.Err())
	}
	s.cancel()
	<-idle
	s.client.CloseIdleConnections()
	return err
}
