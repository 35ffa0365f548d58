// Command tasks serves tasks, their boards, their history and the lists to choose from.
package main

import (
	"context"

	"github.com/honeydue/backend/shared/attach"
	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/run"
)

const name = "tasks"

type config struct {
	Base   function.Config
	Bucket bucket.Config
}

// A service answers the operations that routes lists.
type service struct {
	*function.Base
	files  *attach.Files
	packer packer
}

func newService(base *function.Base, photos *bucket.Bucket) *service {
	return &service{Base: base, files: attach.NewFiles(base.DB, photos, base.Outbox)}
}

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
	photos, err := bucket.Open(cfg.Bucket)
	if err != nil {
		return err
	}
	defer photos.Close()
	return base.Serve(ctx, newService(base, photos).routes)
}
