// Command uploads lets people send photos and papers straight to the bucket, shows them to the members of a home, and keeps
// what is written about papers.
package main

import (
	"context"

	"github.com/honeydue/backend/shared/attach"
	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/run"
)

const name = "uploads"

type config struct {
	Base   function.Config
	Bucket bucket.Config
}

// A service answers the operations that routes lists.
type service struct {
	*function.Base
	bucket *bucket.Bucket
	files  *attach.Files
}

func main() { run.Main(serve) }

func serve(ctx context.Context) error {
	var cfg config
	if err := run.Read(&cfg); err != nil {
		return err
	}
	store, err := bucket.Open(cfg.Bucket)
	if err != nil {
		return err
	}
	defer store.Close()
	base, err := function.Open(ctx, name, cfg.Base, cfg.Base.Run.Logger(name))
	if err != nil {
		return err
	}
	return base.Serve(ctx, newService(base, store).routes)
}

func newService(base *function.Base, store *bucket.Bucket) *service {
	return &service{base, store, attach.NewFiles(base.DB, store, base.Outbox)}
}
