package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/pg"
)

// deliveryTimeout ends a delivery from the broker before Knative does, at 45 s.
const deliveryTimeout = 42 * time.Second

// atOnce is how many messages a process has under way at the same time, perSlot how many more each of these is claimed with: what
// has to be sent one after another, over one connection.
const (
	atOnce  = 10
	perSlot = 20
)

type service struct {
	db       *pg.DB
	log      *slog.Logger
	composer *composer
	couriers *couriers
	claims   *gathering[owed, []message]
	pusher   *pusher
	outbox   *events.Outbox
	now      func() time.Time // for what people's own clocks say
	deadline time.Duration    // of sending one message, to the mail server's last word
	slots    chan struct{}    // holds an item for each message under way
	ends     <-chan struct{}  // closed when the process is to end; nil: never
}

// longestDeadline of a send leaves time in a delivery for planning, sending and noting.
const longestDeadline = 15 * time.Second

// newService opens the function. What it publishes runs on tasks.
func newService(cfg config, db *pg.DB, tasks events.Tasks, log *slog.Logger) (*service, error) {
	if cfg.Mail.Deadline <= 0 || cfg.Mail.Deadline > longestDeadline {
		return nil, fmt.Errorf("MAIL_DEADLINE is not between 0 and %s", longestDeadline)
	}
	composer, err := newComposer(cfg)
	if err != nil {
		return nil, err
	}
	pusher, err := newPusher(cfg.Push)
	if err != nil {
		return nil, err
	}
	server := cfg.Mail.Server
	server.name = domainOf(cfg.Mail.From.Address.Address)
	s := &service{
		db: db, log: log, composer: composer, couriers: &couriers{server: server}, deadline: cfg.Mail.Deadline,
		pusher: pusher, now: time.Now, slots: make(chan struct{}, atOnce),
		outbox: &events.Outbox{
			Function: "notifications", DB: db, Tasks: tasks, Log: log, Now: time.Now,
			Publisher: events.NewPublisher(cfg.Sink),
		},
	}
	s.claims = &gathering[owed, []message]{do: s.claimAll}
	composer.now = func() time.Time { return s.now() }
	return s, nil
}

// close ends connections, once nothing is under way.
func (s *service) close() {
	s.couriers.close()
	s.pusher.close()
}

// handler takes events and ticks from the broker at POST /, and what an operator asks about messages.
func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /{$}", &events.Consumer{
		Name: "notifications", DB: s.db, Log: s.log, Timeout: deliveryTimeout,
		Handle:    s.plan,
		Schedules: s.schedules(),
	})
	mux.Handle("GET /messages/{$}", s.answer(s.listMessages))
	mux.Handle("POST /messages/{id}/replay/{$}", s.answer(s.replayMessage))
	return mux
}
