// Command local is `make run`: the whole system on one machine, until Ctrl-C.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/kelseyhightower/envconfig"

	"github.com/honeydue/backend/knative/local"
)

type config struct {
	Port int    `envconfig:"PORT" default:"8080"` // on the loopback address; 0 takes a free one
	Dir  string `envconfig:"RUN_DIR"`             // empty: .run in the workspace

	Method method `envconfig:"UPLOADS_METHOD" default:"post"` // how files are sent to the bucket
}

// A method is the name of one of the two forms that an upload can have.
type method string

// Decode reads the name.
func (m *method) Decode(name string) error {
	if name != "post" && name != "put" {
		return errors.New("neither post nor put")
	}
	*m = method(name)
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "local:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	var c config
	if err := envconfig.Process("", &c); err != nil {
		return fmt.Errorf("read environment: %w", err)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	system, err := local.Start(ctx, local.Config{
		Dir: c.Dir, Port: c.Port, Durable: true, Log: log,
		Values: map[string]string{"honeydue/UPLOADS_METHOD": string(c.Method)},
	})
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	_, _ = fmt.Fprintf(os.Stdout, "ready %s  page %s/_local/  mail %s\n", system.URL, system.URL, system.Mailbox().URL())
	<-ctx.Done()
	log.InfoContext(ctx, "stopping")
	return system.Stop()
}
