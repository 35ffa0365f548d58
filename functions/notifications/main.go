// Command notifications tells people what happened and what is due: events and ticks come in, mails and pushes go out.
package main

import (
	"context"

	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/run"
	"github.com/honeydue/backend/shared/telemetry"
)

type config struct {
	Run       run.Config
	Database  pg.Config
	Telemetry telemetry.Config
	CodeKeys  code.Keys `envconfig:"CODE_KEY" required:"true"`
	PublicURL string    `envconfig:"PUBLIC_URL" required:"true"`
	APIURL    string    `envconfig:"API_URL" required:"true"`
	Sink      string    `envconfig:"K_SINK" required:"true"`
	Mail      mailConfig
	Push      pushConfig
}

func main() { run.Main(start) }

func start(ctx context.Context) error {
	var cfg config
	if err := run.Read(&cfg); err != nil {
		return err
	}
	log := cfg.Run.Logger("notifications")
	db, err := pg.Open(ctx, cfg.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	traces, err := telemetry.Open(ctx, cfg.Telemetry, "notifications", log)
	if err != nil {
		return err
	}
	background := &run.Background{}
	s, err := newService(cfg, db, background, log)
	if err != nil {
		return err
	}
	defer s.close()
	s.ends = ctx.Done()
	err = run.Serve(ctx, cfg.Run, log, background, traces.Handler(s.handler()))
	traces.End(context.WithoutCancel(ctx))
	return err
}
