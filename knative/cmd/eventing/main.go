// Program eventing is a Broker and its schedules for a cluster without Knative Eventing. It reads Trigger,
// Broker and PingSource manifests from a folder and keeps its events in memory.
package main

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/honeydue/backend/knative/broker"
)

type config struct {
	manifests string // folder of *.yaml files
	namespace string // the only one that is served
	address   string // host:port to listen on
}

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	if err := run(log, config{
		manifests: cmp.Or(os.Getenv("MANIFESTS"), "manifests"),
		namespace: cmp.Or(os.Getenv("NAMESPACE"), "honeydue"),
		address:   net.JoinHostPort(os.Getenv("LISTEN_HOST"), cmp.Or(os.Getenv("PORT"), "8080")),
	}); err != nil {
		log.Error("eventing ended", slog.String("error", err.Error()))
		os.Exit(1)
	}
}

func run(log *slog.Logger, c config) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	m, err := load(os.DirFS(c.manifests), c.namespace)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.address)
	if err != nil {
		return err
	}
	return serve(ctx, log, listener, m, func(_ context.Context, ref broker.Ref) (string, error) {
		return "http://" + ref.Name + "." + ref.Namespace + ".svc.cluster.local", nil
	})
}
