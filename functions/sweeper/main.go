// Command sweeper mends what others left: it publishes events that nobody has confirmed, and removes what nobody needs any more,
// from the database and from the bucket.
package main

import (
	"context"

	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/run"
	"github.com/honeydue/backend/shared/telemetry"
)

type config struct {
	Run       run.Config
	Database  pg.Config
	Bucket    bucket.Config
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
	store, err := bucket.Open(cfg.Bucket)
	if err != nil {
		return err
	}
	defer store.Close()
	traces, err := telemetry.Open(ctx, cfg.Telemetry, "sweeper", log)
	if err != nil {
		return err
	}
	s := newService(db, store, cfg.Sink, log)
	err = run.Serve(ctx, cfg.Run, log, &run.Background{}, traces.Handler(s.handler()))
	traces.End(context.WithoutCancel(ctx))
	return err
}
