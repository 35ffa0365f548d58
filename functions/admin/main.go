// Command admin is the operators' function: their panel, its API, and the command that lets the first of them in.
package main

import (
	"context"
	"os"

	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/run"
)

type config struct {
	Base function.Config
	Keys keys `envconfig:"ADMIN_KEY" required:"true"`
}

func main() {
	if len(os.Args) > 1 {
		os.Exit(command(os.Args[1:], os.Stdout, os.Stderr))
	}
	run.Main(start)
}

func start(ctx context.Context) error {
	var cfg config
	if err := run.Read(&cfg); err != nil {
		return err
	}
	base, err := function.Open(ctx, "admin", cfg.Base, cfg.Base.Run.Logger("admin"))
	if err != nil {
		return err
	}
	return base.Serve(ctx, newService(base, cfg.Keys, cfg.Base.Sink).routes)
}
