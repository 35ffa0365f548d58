package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/honeydue/backend/knative"
	"github.com/honeydue/backend/knative/broker"
	"github.com/honeydue/backend/knative/schedule"
)

const readHeaderTimeout = 10 * time.Second

// A bus is the Broker on a port of its own, which it keeps when it is stopped and started again. What it held is
// lost then, as with any broker that keeps events in memory.
type bus struct {
	options broker.Options

	mu      sync.Mutex
	address string
	broker  *broker.Broker
	server  *http.Server
}

// newBus delivers to functions by name; resolve finds them.
func newBus(m *knative.Manifests, resolve broker.Resolver, observe func(broker.Attempt), log *slog.Logger) *bus {
	o := broker.Options{Namespace: m.Namespace, Name: m.Broker.Name, Resolve: resolve, Observe: observe, Log: log}
	for _, f := range m.Functions {
		for _, t := range f.Triggers {
			o.Triggers = append(o.Triggers, broker.Trigger{
				Name: t.Name, Attributes: t.Spec.Filter.Attributes, Filters: t.Spec.Filters,
				Subscriber: t.Spec.Subscriber, Delivery: t.Spec.Delivery,
			})
		}
	}
	return &bus{options: o, address: net.JoinHostPort(loopback, "0")}
}

func (b *bus) start() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.server != nil {
		return nil
	}
	broker, err := broker.New(b.options)
	if err != nil {
		return fmt.Errorf("start broker: %w", err)
	}
	server, address, err := serve(b.address, broker, b.options.Log)
	if err != nil {
		return fmt.Errorf("start broker: %w", err)
	}
	b.broker, b.server, b.address = broker, server, address
	return nil
}

// stop ends the Broker; with a ctx that has ended, at once and with all that it holds.
func (b *bus) stop(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.server == nil {
		return nil
	}
	err := b.broker.Close(ctx)
	_ = b.server.Close() // nothing is served any more, or it shall not be
	b.broker, b.server = nil, nil
	if err != nil {
		return fmt.Errorf("stop broker: %w", err)
	}
	return nil
}

// url is where events are posted to.
func (b *bus) url() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return "http://" + b.address + "/" + b.options.Namespace + "/" + b.options.Name
}

// newScheduler starts the manifests' schedules.
func newScheduler(m *knative.Manifests, b *bus, log *slog.Logger) (*schedule.Scheduler, error) {
	o := schedule.Options{
		Log:     log,
		Resolve: func(context.Context, broker.Ref) (string, error) { return b.url(), nil }, // the loader allows no other sink
	}
	for _, s := range m.Schedules {
		o.Sources = append(o.Sources, schedule.Source{
			Namespace: s.Namespace, Name: s.Name, Schedule: s.Spec.Schedule, Timezone: s.Spec.Timezone,
			ContentType: s.Spec.ContentType, Data: s.Spec.Data, Sink: s.Spec.Sink,
		})
	}
	scheduler, err := schedule.New(o)
	if err != nil {
		return nil, fmt.Errorf("start schedules: %w", err)
	}
	return scheduler, nil
}

// serve begins to serve at an address, and returns the one that it got.
func serve(address string, handler http.Handler, log *slog.Logger) (*http.Server, string, error) {
	listener, err := net.Listen("tcp", address) //nolint:noctx // returns at once
	if err != nil {
		return nil, "", fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: readHeaderTimeout,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	go func() {
		if err := server.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			log.Error("server ended", "error", err)
		}
	}()
	return server, listener.Addr().String(), nil
}
