package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/honeydue/backend/shared/devserver"
)

// An enqueuer asks for the mail of an order and returns when that was safe.
type enqueuer func(ctx context.Context, o order) (safe time.Time, err error)

// A contender is a way from what happens to a mail, at work.
type contender struct {
	name    string
	keeps   string // what has the mail until it is sent
	enqueue enqueuer
	process *process      // what sends
	apart   time.Duration // on average, between single mails
	busy    func() bool   // whether something is still under way, as far as anybody can tell
	close   func()
}

func (c *contender) stop() error {
	err := c.process.stop()
	c.close()
	return err
}

// Single mails are so far apart on average that the one before is mostly settled. A contender that looks for jobs once a second is asked at any moment
// of its rhythm.
const (
	shortlyApart = 40 * time.Millisecond
	widelyApart  = 500 * time.Millisecond
)

// ours is the function with its outbox, on a database of that name, in an exec mode.
func (w *world) ours(ctx context.Context, database, execMode string) (*contender, error) {
	t, err := w.openTeller(ctx, database)
	if err != nil {
		return nil, err
	}
	p, err := w.start(ctx, database, execMode)
	if err != nil {
		t.close()
		return nil, err
	}
	return &contender{
		name: "honeyDue, " + execMode, keeps: "PostgreSQL: outbox and message", enqueue: t.complete, process: p, apart: shortlyApart,
		busy: w.broker.busy, close: t.close,
	}, nil
}

// A queue is what a contender is opened with.
type queue struct {
	name    string
	keeps   string
	setting setting
}

func queues() []queue {
	const redis, postgres = "Redis, fsync each second", "PostgreSQL: job"
	return []queue{
		{"asynq", redis, setting{true}}, {"river", postgres, setting{true}},
		{"asynq", redis, setting{}}, {"river", postgres, setting{}},
	}
}

// open starts a worker of the queue, with all that it needs, of which the i-th queue has its own.
func (w *world) open(ctx context.Context, i int, q queue, l *letter) (*contender, error) {
	c := &contender{name: fmt.Sprintf("%s, %s", q.name, q.setting), keeps: q.keeps, apart: widelyApart, busy: func() bool { return false }}
	if q.setting.eager {
		c.apart = shortlyApart
	}
	var address string
	var err error
	switch q.name {
	case "asynq":
		address = w.redis.URL(i)
		c.enqueue, c.close, err = w.openAsynq(i, l)
	default:
		database := fmt.Sprintf("river%d", i)
		address = w.postgres.URL(devserver.Owner, database)
		c.enqueue, c.close, err = w.openRiver(ctx, database, l, q.setting)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", c.name, err)
	}
	c.process, err = startWorker(ctx, w.dir, fmt.Sprintf("%s%d", q.name, i), workerCommand, q.name, address, q.setting.String())
	if err != nil {
		c.close()
		return nil, errors.Join(fmt.Errorf("open %s", c.name), err)
	}
	return c, nil
}
