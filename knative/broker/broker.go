// Package broker is an HTTP Broker that behaves as Knative Eventing's does over a storing channel, but keeps
// its events in memory: it answers as soon as it has an event and delivers it to each matching Trigger on
// its own, again and again as the Trigger's delivery spec says. What it holds is gone when its process is.
package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
)

// The largest event, and the largest answer that may be one.
const maxEventBytes = 1 << 20

// Options says what a Broker serves. Zero values are good where that is said.
type Options struct {
	// Namespace and Name make the path: /<namespace>/<name>.
	Namespace, Name string
	Triggers        []Trigger
	// Delivery is the Broker's own spec, for Triggers that have none. Nil is what Eventing is installed with: ten
	// retries, exponentially from 200 ms.
	Delivery *Delivery
	Resolve  Resolver
	// Log gets a line for each delivery that failed; slog.Default when nil.
	Log *slog.Logger
	// Observe is told what happens to each event; it may be called by many goroutines at once and must not block.
	Observe func(Attempt)

	// MaxEvents and MaxBytes bound what is held (10,000 events, 256 MiB when zero); beyond, senders get 503.
	MaxEvents int
	MaxBytes  int64
	// MaxConcurrent bounds a Trigger's requests at any moment (50 when zero). One that waits to retry is none.
	MaxConcurrent int

	// Now and After are the clock; time.Now and time.After when nil.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
}

// Trigger subscribes a consumer to the events that pass its filters.
type Trigger struct {
	Name string
	// Attributes is `filter.attributes`: exact values, where an empty one takes any. Filters, all of which must
	// pass, replaces it when there are any.
	Attributes map[string]string
	Filters    []Filter
	Subscriber Destination
	// Delivery replaces the Broker's as a whole.
	Delivery *Delivery
}

// Broker takes events by POST at /<namespace>/<name>. Answers: 202 once it holds the event, 400 for what is no
// CloudEvent 1.0 in binary or structured mode (a batch is none) or has come round too often, 404 for any other
// path, 405 for another method, 413 over 1 MiB, 503 with Retry-After when it is full or closing.
type Broker struct {
	options   Options
	consumers []*consumer
	client    *http.Client

	// Deliveries outlive the request that brought them; Close ends them.
	ctx     context.Context //nolint:containedctx // see above
	cancel  context.CancelFunc
	closing chan struct{}
	working sync.WaitGroup

	mu     sync.Mutex
	closed bool
	events int
	bytes  int64
}

// consumer is a Trigger that was read and found good.
type consumer struct {
	Trigger
	policy policy
	slots  chan struct{}
}

// New checks the options and returns a Broker that is ready to serve. Close it.
func New(o Options) (*Broker, error) {
	if o.Namespace == "" || o.Name == "" {
		return nil, errors.New("broker: wants a namespace and a name")
	}
	if o.Resolve == nil {
		o.Resolve = func(_ context.Context, ref Ref) (string, error) {
			return "", fmt.Errorf("no resolver for %s", ref.Kind)
		}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Observe == nil {
		o.Observe = func(Attempt) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = time.After
	}
	o.MaxEvents = defaulted(o.MaxEvents, 10_000)
	o.MaxBytes = defaulted(o.MaxBytes, 256<<20)
	o.MaxConcurrent = defaulted(o.MaxConcurrent, 50)

	b := &Broker{options: o, closing: make(chan struct{}), client: newClient(o.MaxConcurrent)}
	for _, trigger := range o.Triggers {
		c, err := newConsumer(trigger, o)
		if err != nil {
			return nil, fmt.Errorf("trigger %s: %w", trigger.Name, err)
		}
		b.consumers = append(b.consumers, c)
	}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b, nil
}

func newConsumer(t Trigger, o Options) (*consumer, error) {
	if err := t.Subscriber.Validate(); err != nil {
		return nil, fmt.Errorf("subscriber: %w", err)
	}
	if err := validateAttributes("filter.attributes", t.Attributes, true); err != nil {
		return nil, err
	}
	for i, filter := range t.Filters {
		if err := filter.Validate(fmt.Sprintf("filters[%d]", i)); err != nil {
			return nil, err
		}
	}
	delivery := cmp.Or(t.Delivery, o.Delivery, &Delivery{Retry: 10, BackoffPolicy: "exponential", BackoffDelay: "PT0.2S"})
	p, err := delivery.policy()
	if err != nil {
		return nil, fmt.Errorf("delivery.%w", err)
	}
	return &consumer{Trigger: t, policy: p, slots: make(chan struct{}, o.MaxConcurrent)}, nil
}

func (c *consumer) wants(e event.Event) bool {
	if len(c.Filters) > 0 {
		return matchesAll(c.Filters, e)
	}
	return matchesAttributes(c.Attributes, e)
}

// newClient never goes through a proxy and never follows a redirect: an event goes to the consumer that its
// Trigger names or to none.
func newClient(perHost int) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			MaxIdleConnsPerHost:   perHost,
			IdleConnTimeout:       90 * time.Second,
			TLSHandshakeTimeout:   10 * time.Second,
			ExpectContinueTimeout: time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close stops taking events and waits for those it holds: an attempt under way goes on, one that waits to
// retry is made at once and is the last. When ctx ends first, the rest is dropped, and logged, and its error
// returned.
func (b *Broker) Close(ctx context.Context) error {
	b.mu.Lock()
	if !b.closed {
		b.closed = true
		close(b.closing)
	}
	b.mu.Unlock()

	drained := make(chan struct{})
	go func() {
		b.working.Wait()
		close(drained)
	}()
	var err error
	select {
	case <-drained:
	case <-ctx.Done():
		err = fmt.Errorf("drain broker: %w", ctx.Err())
	}
	b.cancel()
	<-drained
	b.client.CloseIdleConnections()
	return err
}

func defaulted[T int | int64](value, otherwise T) T {
	if value > 0 {
		return value
	}
	return otherwise
}
