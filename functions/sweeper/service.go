package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/pg"
)

// A tick is answered before Knative ends it, at 45 s. Publishing leaves time for removing, and what is known to be of no use
// leaves time to look for what is not known.
const (
	tickTimeout  = 42 * time.Second
	relayTimeout = 28 * time.Second
	drainTimeout = 34 * time.Second
)

type service struct {
	db    *pg.DB
	store *bucket.Bucket
	log   *slog.Logger
	relay events.Relay
	now   func() time.Time // by which the age of an object is told
}

func newService(db *pg.DB, store *bucket.Bucket, sink string, log *slog.Logger) *service {
	publisher := events.NewPublisher(sink)
	return &service{db: db, store: store, log: log, relay: events.Relay{DB: db, Publisher: publisher, Log: log}, now: time.Now}
}

// handler takes ticks from the broker at POST /, and nothing else.
func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /{$}", &events.Consumer{
		Name: "sweeper", DB: s.db, Log: s.log, Timeout: tickTimeout,
		Schedules: map[string]func(context.Context) error{"outbox": s.sweep, "uploads": s.sweepUploads},
	})
	return mux
}
