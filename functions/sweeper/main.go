// Command sweeper mends what others left: it publishes events that nobody has confirmed, and removes what nobody needs any more.
package main

import (
	"context"
	"errors"

	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/run"
	"github.com/honeydue/backend/shared/telemetry"
)

type config struct {
	Run       run.Config
	Database  pg.Config
	Telemetry telemetry.Config
	Sink      string `envconfig:"K_SINK" required:"true"`
}

func main() { run.Main(start) }

func start(ctx context.Context) error {
	var cfg config
	if err := run.Read(&cfg); err != nil {
		return err
	}
	log := cfg.Run.Logger("sweeper")
	db, err := pg.Open(ctx, cfg.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	traces, err := telemetry.Open(ctx, cfg.Telemetry, "sweeper")
	if err != nil {
		return err
	}
	s := newService(db, cfg.Sink, log)
	err = run.Serve(ctx, cfg.Run, log, &run.Background{}, traces.Handler(s.handler()))
	return errors.Join(err, traces.Close(context.WithoutCancel(ctx)))
}
