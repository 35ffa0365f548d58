// Command media makes what the members of a home see of a photo: the photo without what it tells of its place and owner, and
// a thumbnail.
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
	Telemetry telemetry.Config
	Bucket    bucket.Config
}

func main() { run.Main(start) }

func start(ctx context.Context) error {
	var cfg config
	if err := run.Read(&cfg); err != nil {
		return err
	}
	log := cfg.Run.Logger("media")
	db, err := pg.Open(ctx, cfg.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	photos, err := bucket.Open(cfg.Bucket)
	if err != nil {
		return err
	}
	defer photos.Close()
	traces, err := telemetry.Open(ctx, cfg.Telemetry, "media", log)
	if err != nil {
		return err
	}
	err = run.Serve(ctx, cfg.Run, log, &run.Background{}, traces.Handler(newService(db, photos, log).handler()))
	traces.End(context.WithoutCancel(ctx))
	return err
}
