package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/devserver"

	"github.com/honeydue/backend/tests/bench/proc"
)

// A reminding is what one tick led to.
type reminding struct {
	tally
	pushes                      pushTally
	took, transaction, handling time.Duration
	cpu                         time.Duration
	memory                      int64 // bytes
	handled, putOff             int
}

// remind sends one tick and waits until everybody has a mail, and everybody with a phone a push, or nothing comes any more.
func (w *world) remind(ctx context.Context, people int) (r reminding, err error) {
	p, err := w.start(ctx, remindersDatabase, behindPooler)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	watcher, err := watch(ctx, w.postgres.URL(devserver.Owner, remindersDatabase), "honeydue_"+functionName)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, watcher.end()) }()
	w.box.empty()
	began := time.Now()
	w.broker.tick(ctx, "reminders")
	if err := w.awaitReminders(ctx, people); err != nil {
		return r, err
	}
	r.tally, r.pushes = w.box.count(people), countPushes(w.pushes, people/2)
	if r.mails > 0 {
		r.took = later(r.latest, r.pushes.latest).Sub(began)
	}
	r.handled, r.putOff, r.handling = w.broker.stats()
	r.transaction = watcher.longest()
	if r.cpu, err = proc.CPU(p.cmd.Process.Pid); err != nil {
		return r, err
	}
	r.memory, err = proc.Memory(p.cmd.Process.Pid)
	return r, err
}

const lookEvery = time.Second

// awaitReminders returns once nobody is at work any more and nothing has come for a while, or after twice the time that all may
// take.
func (w *world) awaitReminders(ctx context.Context, people int) error {
	came, quiet := 0, time.Now()
	for until := time.Now().Add(2 * maxReminders); time.Now().Before(until); {
		if err := wait(ctx, lookEvery); err != nil {
			return err
		}
		mails, pushes := w.box.count(people), countPushes(w.pushes, people/2)
		patience := patience
		if mails.lost == 0 && pushes.lost == 0 {
			patience = silence
		}
		if now := mails.mails + pushes.sent; now > came || w.broker.busy() {
			came, quiet = now, time.Now()
		}
		if time.Since(quiet) > patience {
			return nil
		}
	}
	return nil
}

// none is what remaining says when there is nothing left.
const none = "none"

const selectRemaining = `
SELECT coalesce(string_agg(n || ' ' || what, ', ' ORDER BY n DESC), $1::text)
FROM (
    SELECT concat_ws(' ', channel, state, last_error) AS what, count(*) AS n FROM notification_message WHERE state <> 'sent' GROUP BY 1
) left_over`

// remaining tells which messages are planned and not sent, and why.
func remaining(ctx context.Context, db *pgx.Conn) (text string, err error) {
	if err := db.QueryRow(ctx, selectRemaining, none).Scan(&text); err != nil {
		return "", fmt.Errorf("look for messages that are left: %w", err)
	}
	return text, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
