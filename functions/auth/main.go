// Command auth is the function for accounts and sessions: who somebody is, and that an address is theirs.
package main

import (
	"context"

	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/run"
)

type config struct {
	Base     function.Config
	CodeKeys code.Keys `envconfig:"CODE_KEY" required:"true"`
}

func main() { run.Main(start) }

func start(ctx context.Context) error {
	var cfg config
	if err := run.Read(&cfg); err != nil {
		return err
	}
	base, err := function.Open(ctx, "auth", cfg.Base, cfg.Base.Run.Logger("auth"))
	if err != nil {
		return err
	}
	s := newService(base, cfg.CodeKeys)
	base.Events = s.consumer()
	return base.Serve(ctx, s.routes)
}
