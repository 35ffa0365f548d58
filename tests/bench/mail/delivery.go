package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/tests/bench/report"
)

// Targets of delivery.
const (
	maxWarm  = 15 * time.Millisecond // of half of the mails, from the commit on
	maxCrowd = 10 * time.Second      // of the last of 500 mails
)

const (
	crowdSize = 500
	atOnce    = 10 // mails that each contender has under way, and orders that are placed at a time
	zeroStart = 20
)

// benchOurs prints what the function's delivery takes and returns whether its targets are met, with what the queues are held against
// and the letter that they send.
func benchOurs(ctx context.Context, out io.Writer, w *world, db *pgx.Conn, o options) (row rival, l *letter, met bool, err error) {
	c, err := w.ours(ctx, database, behindPooler)
	if err != nil {
		return row, nil, false, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	all, err := orders(ctx, db, "warm-", o.rounds+warmUp)
	if err != nil {
		return row, nil, false, err
	}
	t, err := w.single(ctx, c, all)
	if err != nil {
		return row, nil, false, err
	}
	if l, err = copyLetter(w.box.lastMail(), w.box.host); err != nil {
		return row, nil, false, err
	}
	_, _ = fmt.Fprintf(out, "Event to mail at the mail server, function warm: %d single events, from the commit to the final dot\n\n", o.rounds)
	table := newTable(out, "p50", "target", "p95", "p99", "")
	p50 := percentile(t.safe, 50)
	met = p50 <= maxWarm
	line(table, report.MS(p50), report.MS(maxWarm), report.MS(percentile(t.safe, 95)), report.MS(percentile(t.safe, 99)), report.Verdict(met))
	if err := table.Flush(); err != nil {
		return row, nil, false, err
	}
	row = rival{c: c, timing: t}

	_, _ = fmt.Fprintf(out, "\nEvents at once, %d connections that commit, one process that has up to %d under way\n\n", atOnce, w.function.Concurrency)
	table = newTable(out, "events", "last mail", "target", "a second", "lost", "twice", "target", "")
	for i, n := range []int{crowdSize, o.many} {
		rounds := 1
		if i == 0 {
			rounds = crowdRounds
		}
		r, err := w.crowds(ctx, c, rounds, fmt.Sprintf("crowd%d-", i), n, func(name string, n int) ([]order, error) { return orders(ctx, db, name, n) })
		if err != nil {
			return row, nil, false, err
		}
		ok := r.lost == 0 && r.doubled == 0 && (i > 0 || r.took <= maxCrowd)
		met = met && ok
		target := ""
		if i == 0 {
			target, row.crowd = seconds(maxCrowd), r
		}
		line(table, n, seconds(r.took), target, rate(r.mails, r.took), r.lost, r.doubled, 0, report.Verdict(ok))
	}
	return row, l, met, table.Flush()
}

// benchZero prints what an event takes that finds no process: its start more, and all that a process does for the first time.
func benchZero(ctx context.Context, out io.Writer, w *world, db *pgx.Conn) error {
	all, err := orders(ctx, db, "zero-", zeroStart)
	if err != nil {
		return err
	}
	var starts, deliveries, wholes []time.Duration
	for _, o := range all {
		start, delivery, err := w.fromZero(ctx, o)
		if err != nil {
			return err
		}
		starts, deliveries, wholes = append(starts, start), append(deliveries, delivery), append(wholes, start+delivery)
	}
	_, _ = fmt.Fprintf(out, "\nFrom zero: %d times a process that starts for one event\n\n", zeroStart)
	table := newTable(out, "part", "p50", "max")
	for _, part := range []struct {
		name  string
		times []time.Duration
	}{{"start to listening", starts}, {"delivery to mail, first of a process", deliveries}} {
		line(table, part.name, report.MS(median(part.times)), report.MS(percentile(part.times, 99)))
	}
	line(table, "both", report.MS(median(wholes)), report.MS(percentile(wholes, 99)))
	return table.Flush()
}

// fromZero starts a process for one event and returns how long it took to listen, and the mail from the commit on.
func (w *world) fromZero(ctx context.Context, o order) (start, delivery time.Duration, err error) {
	c, err := w.ours(ctx, database, behindPooler)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	_, delivery, err = w.one(ctx, c, o)
	return c.process.took, delivery, err
}

func newTable(out io.Writer, head ...any) *tabwriter.Writer {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	line(table, head...)
	return table
}

// line writes a row, each cell with its end.
func line(table io.Writer, cells ...any) {
	for _, cell := range cells {
		_, _ = fmt.Fprintf(table, "%v\t", cell)
	}
	_, _ = fmt.Fprintln(table)
}
