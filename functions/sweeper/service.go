package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/pg"
)

// A tick is answered before Knative ends it, at 45 s. Publishing leaves time for removing.
const (
	tickTimeout  = 42 * time.Second
	relayTimeout = 28 * time.Second
)

type service struct {
	db    *pg.DB
	log   *slog.Logger
	relay events.Relay
}

func newService(db *pg.DB, sink string, log *slog.Logger) *service {
	publisher := events.Publisher{Sink: sink, Client: &http.Client{}}
	return &service{db: db, log: log, relay: events.Relay{DB: db, Publisher: publisher, Log: log}}
}

// handler takes ticks from the broker at POST /, and nothing else.
func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /{$}", &events.Consumer{
		Name: "sweeper", DB: s.db, Log: s.log, Timeout: tickTimeout,
		Schedules: map[string]func(context.Context) error{"outbox": s.sweep},
	})
	return mux
}
