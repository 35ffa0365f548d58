package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/honeydue/backend/knative/broker"
	"github.com/honeydue/backend/knative/schedule"
)

// What is still on its way at SIGTERM gets this long; a pod is killed after 30 s.
const drainTime = 25 * time.Second

// serve runs the Brokers and schedules on the listener until ctx ends, then drains them: events are refused
// with 503 while those that it holds are delivered.
func serve(ctx context.Context, log *slog.Logger, on net.Listener, m *manifests, services broker.Resolver) error {
	here := "http://" + localAddress(on)
	resolve := func(ctx context.Context, ref broker.Ref) (string, error) {
		if ref.Kind == "Broker" {
			return here + "/" + ref.Namespace + "/" + ref.Name, nil
		}
		return services(ctx, ref)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	var closers []func(context.Context) error
	drain := func() error {
		// Nobody's cancellation cuts the drain short, only its own deadline.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		var errs []error
		for _, closeOne := range closers {
			errs = append(errs, closeOne(ctx))
		}
		return errors.Join(errs...)
	}
	schedules, err := schedule.New(schedule.Options{Sources: m.schedules, Resolve: resolve, Log: log})
	if err != nil {
		return errors.Join(err, on.Close())
	}
	closers = append(closers, schedules.Close)
	for name, triggers := range m.triggers {
		b, err := broker.New(broker.Options{
			Namespace: m.namespace, Name: name, Triggers: triggers, Resolve: resolve, Log: log,
		})
		if err != nil {
			return errors.Join(err, drain(), on.Close())
		}
		closers = append(closers, b.Close)
		mux.Handle("/"+m.namespace+"/"+name, b)
		mux.Handle("/"+m.namespace+"/"+name+"/", b)
	}
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
	}
	closers = append(closers, server.Shutdown)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(on) }()
	log.InfoContext(ctx, "eventing serves", slog.Int("brokers", len(m.triggers)), slog.Int("schedules", len(m.schedules)))
	select {
	case err := <-ended:
		return errors.Join(fmt.Errorf("serve: %w", err), drain())
	case <-ctx.Done():
		return drain()
	}
}

// localAddress is how the program reaches itself, whatever it listens on.
func localAddress(on net.Listener) string {
	host, port, err := net.SplitHostPort(on.Addr().String())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
