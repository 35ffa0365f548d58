// Command site is the public site, and answers for the API as a whole: its health, its OpenAPI document and the pages that show it.
package main

import (
	"context"

	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/run"
)

type config struct {
	Base function.Config
	Site settings
}

func main() { run.Main(start) }

func start(ctx context.Context) error {
	var cfg config
	if err := run.Read(&cfg); err != nil {
		return err
	}
	said, err := cfg.Site.check()
	if err != nil {
		return err
	}
	base, err := function.Open(ctx, "site", cfg.Base, cfg.Base.Run.Logger("site"))
	if err != nil {
		return err
	}
	return base.Serve(ctx, newService(base.DB, base.Cache, said).routes)
}
