package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/honeydue/backend/tests/bench/report"
)

// Targets of the reminders of one tick.
const (
	maxReminders   = 5 * time.Minute
	maxMemory      = 128 << 20
	maxTransaction = 500 * time.Millisecond
	maxHandling    = 50 * time.Second
)

const remindersDatabase = "reminders"

// benchReminders prints what becomes of one tick at which so many people have a task that is due, and returns whether all targets
// are met.
func benchReminders(ctx context.Context, out io.Writer, w *world, people int) (met bool, err error) {
	db, err := w.database(ctx, remindersDatabase)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, db.Close(context.WithoutCancel(ctx))) }()
	if err := fillReminders(ctx, db, people); err != nil {
		return false, err
	}
	r, err := w.remind(ctx, people)
	if err != nil {
		return false, err
	}
	left, err := remaining(ctx, db)
	if err != nil {
		return false, err
	}
	_, _ = fmt.Fprintf(out, "\n%d reminders that are due at one tick, each a mail, and a push for every second: one process with up to %d deliveries under way, durable PostgreSQL\n\n",
		people, w.function.Concurrency)
	table := newTable(out, "", "figure", "target", "")
	met = true
	for _, row := range []struct {
		name, figure string
		target       string // empty: there is none
		met          bool
	}{
		{"last message", seconds(r.took), seconds(maxReminders), r.took <= maxReminders},
		{"mails", fmt.Sprintf("%d, %d lost, %d twice", r.mails, r.lost, r.doubled), "one each", r.lost == 0 && r.doubled == 0},
		{"pushes", fmt.Sprintf("%d, %d lost, %d twice", r.pushes.sent, r.pushes.lost, r.pushes.doubled), "one each", r.pushes.lost == 0 && r.pushes.doubled == 0},
		{"messages that are not sent", left, "none", left == none},
		{"messages a second", rate(r.mails+r.pushes.sent, r.took), "", true},
		{"most memory", report.MiB(r.memory), report.MiB(maxMemory), r.memory < maxMemory},
		{"longest transaction", report.MS(r.transaction), report.MS(maxTransaction), r.transaction <= maxTransaction},
		{"longest handling", seconds(r.handling), seconds(maxHandling), r.handling <= maxHandling},
		{"handlings", fmt.Sprintf("%d, %d put off", r.handled, r.putOff), "", true},
		{"CPU", seconds(r.cpu), "", true},
	} {
		verdict := ""
		if row.target != "" {
			verdict = report.Verdict(row.met)
		}
		line(table, row.name, row.figure, row.target, verdict)
		met = met && row.met
	}
	return met, table.Flush()
}
