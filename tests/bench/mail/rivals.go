package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/tests/bench/report"
)

// A rival is a contender with what was measured of it.
type rival struct {
	c *contender
	timing
	crowd
}

const rivalsHead = `
Beside queues: the same letter, mail server and machine, up to %d mails under way, each sender in a process of its own
Ours looks up whom to tell what and writes the mail; a queue's job holds the letter, and its worker looks nothing up
All keep their connections to the mail server: ours for 3 s, the others for as long as they run
Ours runs as behind a transaction pooler, where each statement is parsed and planned anew (exec), and with statements that its sessions
keep (cache_statement), as river's do
River's jobs are committed as ours is, with fsync, in the same PostgreSQL. Its worker has %d connections, ours %s
Safe means committed with what happened, but for asynq, where it means taken: a loss of power takes up to a second of that
Eager: asynq looks for jobs each %s and not each second, river fetches each %s and not each 100ms

Single mails, from the call that asks for one, and from the moment that it was safe

`

// benchRivals prints what queues take for the same mail beside ours, which is the first row, and ours with statements that are kept, the
// second. It returns whether both are no later than the one that is as durable, in whichever of its settings is the faster.
func benchRivals(ctx context.Context, out io.Writer, w *world, db *pgx.Conn, ours rival, l *letter, o options) (met bool, err error) {
	kept, err := w.oursKept(ctx, db, o)
	if err != nil {
		return false, err
	}
	rows := []rival{ours, kept}
	var p50, last time.Duration // river's
	for i, q := range queues() {
		r, err := w.rival(ctx, i, q, l, o)
		if err != nil {
			return false, err
		}
		rows = append(rows, r)
		if q.name == "river" {
			p50, last = least(p50, percentile(r.whole, 50)), least(last, r.took)
		}
	}
	_, _ = fmt.Fprintf(out, rivalsHead, atOnce, atOnce, w.poolSize(), mostEager, mostEager)
	table := newTable(out, "sender", "kept in", "mails", "bytes", "p50", "p95", "p99", "of ours", "safe to mail p50", "p95", "p99", "idle CPU")
	for _, r := range rows {
		line(table, r.c.name, r.c.keeps, len(r.whole), r.size, report.MS(percentile(r.whole, 50)), report.MS(percentile(r.whole, 95)), report.MS(percentile(r.whole, 99)),
			ratio(percentile(r.whole, 50), percentile(ours.whole, 50)),
			report.MS(percentile(r.safe, 50)), report.MS(percentile(r.safe, 95)), report.MS(percentile(r.safe, 99)), fmt.Sprintf("%.1f %%", 100*r.idle))
	}
	if err := table.Flush(); err != nil {
		return false, err
	}
	_, _ = fmt.Fprintf(out, "\n%d mails at once, from the first call: the one in the middle of %d crowds\n\n", crowdSize, crowdRounds)
	table = newTable(out, "sender", "last mail", "of ours", "a second", "sender's CPU", "of ours", "lost", "twice")
	for _, r := range rows {
		line(table, r.c.name, seconds(r.took), ratio(r.took, ours.took), rate(r.mails, r.took), seconds(r.cpu), ratio(r.cpu, ours.cpu), r.lost, r.doubled)
	}
	if err := table.Flush(); err != nil {
		return false, err
	}
	for _, r := range rows {
		if r.lost > 0 || r.doubled > 0 {
			return false, fmt.Errorf("%s: %d mails lost, %d twice: its times say nothing", r.c.name, r.lost, r.doubled)
		}
	}
	var aims []aim
	for _, r := range rows[:2] {
		aims = append(aims,
			aim{"event to mail, warm, one at a time: p50 of " + r.c.name, percentile(r.whole, 50), p50},
			aim{fmt.Sprintf("event to mail, warm, %d at once: last mail of %s", crowdSize, r.c.name), r.took, last},
		)
	}
	return reach(out, aims)
}

// oursKept measures the function with statements that its sessions keep.
func (w *world) oursKept(ctx context.Context, db *pgx.Conn, o options) (r rival, err error) {
	c, err := w.ours(ctx, database, ownSessions)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	singles, err := orders(ctx, db, "kept-single-", o.rounds+warmUp)
	if err != nil {
		return r, err
	}
	r.c = c
	if r.timing, err = w.single(ctx, c, singles); err != nil {
		return r, err
	}
	r.crowd, err = w.crowds(ctx, c, crowdRounds, "kept-crowd-", crowdSize, func(name string, n int) ([]order, error) { return orders(ctx, db, name, n) })
	return r, err
}

// An aim is a time of ours that is to be no longer than river's.
type aim struct {
	what        string
	ours, river time.Duration
}

// reach prints and keeps what became of aims, and returns whether all were met.
func reach(out io.Writer, aims []aim) (met bool, err error) {
	_, _ = fmt.Fprint(out, "\nBeside river, in whichever setting is the faster\n\n")
	table := newTable(out, "what", "ours", "river", "ours of river", "target", "")
	met = true
	for _, a := range aims {
		g := report.Goal{
			What: a.what, Beside: "river " + report.MS(a.river), Measured: report.MS(a.ours), Target: "no later than river's", Met: a.ours <= a.river,
		}
		said, err := report.Reached(g)
		if err != nil {
			return false, err
		}
		met = met && g.Met
		line(table, a.what, report.MS(a.ours), report.MS(a.river), ratio(a.ours, a.river), g.Target, said)
	}
	return met, table.Flush()
}

// least returns the shorter time, where 0 is none.
func least(a, b time.Duration) time.Duration {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// rival measures the i-th queue. One that looks for jobs each second is asked less often, since each mail takes it so long.
func (w *world) rival(ctx context.Context, i int, q queue, l *letter, o options) (r rival, err error) {
	c, err := w.open(ctx, i, q, l)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	rounds := o.rounds
	if !q.setting.eager {
		rounds = max(rounds/10, 3)
	}
	r.c = c
	singles, err := addresses(fmt.Sprintf("single%d-", i), rounds+warmUp)
	if err != nil {
		return r, err
	}
	if r.timing, err = w.single(ctx, c, singles); err != nil {
		return r, err
	}
	r.crowd, err = w.crowds(ctx, c, crowdRounds, fmt.Sprintf("crowd%d-", i), crowdSize, addresses)
	return r, err
}

// addresses are orders for queues, which need nothing else.
func addresses(name string, n int) ([]order, error) {
	all := make([]order, n)
	for i := range all {
		all[i].Address = fmt.Sprintf("%s%d.member@example.com", name, i)
	}
	return all, nil
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return percentile(times, 50)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// rate returns how many of n came each second.
func rate(n int, took time.Duration) string {
	if took <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f", float64(n)/took.Seconds())
}

func ratio(d, of time.Duration) string {
	if of <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", d.Seconds()/of.Seconds())
}
