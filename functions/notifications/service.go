package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/pg"
)

// deliveryTimeout ends a delivery from the broker before Knative does, at 45 s.
const deliveryTimeout = 42 * time.Second

// atOnce is how many messages a process has under way at the same time.
const atOnce = 10

type service struct {
	db       *pg.DB
	log      *slog.Logger
	composer *composer
	server   mailServer
	deadline time.Duration   // of sending one message, from its claim to the mail server's last word
	slots    chan struct{}   // holds an item for each message under way
	ends     <-chan struct{} // closed when the process is to end; nil: never
}

// longestDeadline of a send leaves time in a delivery for planning, sending and noting.
const longestDeadline = 15 * time.Second

func newService(cfg config, db *pg.DB, log *slog.Logger) (*service, error) {
	if cfg.Mail.Deadline <= 0 || cfg.Mail.Deadline > longestDeadline {
		return nil, fmt.Errorf("MAIL_DEADLINE is not between 0 and %s", longestDeadline)
	}
	composer, err := newComposer(cfg)
	if err != nil {
		return nil, err
	}
	server := cfg.Mail.Server
	server.name = domainOf(cfg.Mail.From.Address.Address)
	return &service{
		db: db, log: log, composer: composer, server: server, deadline: cfg.Mail.Deadline,
		slots: make(chan struct{}, atOnce),
	}, nil
}

// handler takes events and ticks from the broker at POST /, and nothing else.
func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /{$}", &events.Consumer{
		Name: "notifications", DB: s.db, Log: s.log, Timeout: deliveryTimeout,
		Handle:    s.plan,
		Schedules: map[string]func(context.Context) error{"deliveries": s.sendAllDue},
	})
	return mux
}
