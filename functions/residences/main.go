// Command residences serves homes, the people who belong to them, and the codes that let people in.
package main

import (
	"context"

	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/run"
)

type config struct {
	Base   function.Config
	Bucket bucket.Config
}

func main() { run.Main(start) }

func start(ctx context.Context) error {
	var cfg config
	if err := run.Read(&cfg); err != nil {
		return err
	}
	base, err := function.Open(ctx, "residences", cfg.Base, cfg.Base.Run.Logger("residences"))
	if err != nil {
		return err
	}
	photos, err := bucket.Open(cfg.Bucket)
	if err != nil {
		return err
	}
	defer photos.Close()
	return base.Serve(ctx, newService(base, photos).routes)
}
