package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// A rival is a contender with what was measured of it.
type rival struct {
	c *contender
	timing
	crowd
}

const rivalsHead = `
Beside queues: the same letter, mail server and machine, up to %d mails under way, each sender in a process of its own
Ours looks up whom to tell what and writes the mail; a queue's worker hands in a letter that it holds
Safe means committed with what happened, but for asynq, where it means taken: a loss of power takes up to a second of that
Eager: asynq looks for jobs each %s and not each second, river fetches each %s and not each 100ms

Single mails, from the call that asks for one, and from the moment that it was safe

`

// benchRivals prints what queues take for the same mail beside ours, which is the first row.
func benchRivals(ctx context.Context, out io.Writer, w *world, ours rival, l *letter, o options) error {
	rows := []rival{ours}
	for i, q := range queues() {
		r, err := w.rival(ctx, i, q, l, o)
		if err != nil {
			return err
		}
		rows = append(rows, r)
	}
	_, _ = fmt.Fprintf(out, rivalsHead, atOnce, mostEager, mostEager)
	table := newTable(out, "sender", "kept in", "mails", "bytes", "p50", "p95", "p99", "of ours", "safe to mail p50", "p95", "p99", "idle CPU")
	for _, r := range rows {
		line(table, r.c.name, r.c.keeps, len(r.whole), r.size, ms(percentile(r.whole, 50)), ms(percentile(r.whole, 95)), ms(percentile(r.whole, 99)),
			ratio(percentile(r.whole, 50), percentile(ours.whole, 50)),
			ms(percentile(r.safe, 50)), ms(percentile(r.safe, 95)), ms(percentile(r.safe, 99)), fmt.Sprintf("%.1f %%", 100*r.idle))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "\n%d mails at once, from the first call\n\n", crowdSize)
	table = newTable(out, "sender", "last mail", "of ours", "a second", "sender's CPU", "of ours", "lost", "twice")
	for _, r := range rows {
		line(table, r.c.name, seconds(r.took), ratio(r.took, ours.took), rate(r.mails, r.took), seconds(r.cpu), ratio(r.cpu, ours.cpu), r.lost, r.doubled)
	}
	return table.Flush()
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
	if r.timing, err = w.single(ctx, c, addresses(fmt.Sprintf("single%d-", i), rounds+warmUp)); err != nil {
		return r, err
	}
	r.crowd, err = w.crowd(ctx, c, addresses(fmt.Sprintf("crowd%d-", i), crowdSize))
	return r, err
}

// addresses are orders for queues, which need nothing else.
func addresses(name string, n int) []order {
	all := make([]order, n)
	for i := range all {
		all[i].Address = fmt.Sprintf("%s%d.member@example.com", name, i)
	}
	return all
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return percentile(times, 50)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

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
