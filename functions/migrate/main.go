// Command migrate brings the schema up to date, with a database role per function and its grants. It runs as a
// Job before a rollout, with the database's direct address: session locks fail without a word through a pooler.
package main

import (
	"context"

	"github.com/honeydue/backend/shared/run"
)

type config struct {
	Run         run.Config
	DatabaseURL string `envconfig:"DATABASE_URL" required:"true"`
}

func main() { run.Main(start) }

func start(ctx context.Context) error {
	var cfg config
	if err := run.Read(&cfg); err != nil {
		return err
	}
	return migrate(ctx, cfg.Run.Logger("migrate"), cfg.DatabaseURL)
}
