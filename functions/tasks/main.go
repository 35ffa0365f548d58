// Command tasks serves tasks, their boards, their history and the lists to choose from.
package main

import (
	"context"

	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/run"
)

const name = "tasks"

type config struct {
	Base function.Config
}

// A service answers the operations that routes lists.
type service struct{ *function.Base }

func main() { run.Main(serve) }

func serve(ctx context.Context) error {
	var cfg config
	if err := run.Read(&cfg); err != nil {
		return err
	}
	base, err := function.Open(ctx, name, cfg.Base, cfg.Base.Run.Logger(name))
	if err != nil {
		return err
	}
	s := &service{base}
	return base.Serve(ctx, s.routes)
}
