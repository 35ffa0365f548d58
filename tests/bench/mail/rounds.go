package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/honeydue/backend/tests/bench/proc"
)

// patience ends the wait for a mail, or for the next of many.
const patience = 15 * time.Second

// A timing is how long single mails took, each list sorted: from the call that asks for one, and from the moment that it was safe.
type timing struct {
	whole, safe []time.Duration
	idle        float64 // part of a core that the process takes while nothing happens
	size        int     // of the last mail, in bytes
}

// one has c send one mail and returns how long it took.
func (w *world) one(ctx context.Context, c *contender, o order) (whole, safe time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	began := time.Now()
	committed, err := c.enqueue(ctx, o)
	if err != nil {
		return 0, 0, err
	}
	arrived, err := w.box.await(ctx, o.Address)
	return arrived.Sub(began), arrived.Sub(committed), err
}

// warmUp is how many mails go before those that are measured.
const warmUp = 10

// single has c send mail after mail, of which the first few are not measured.
func (w *world) single(ctx context.Context, c *contender, all []order) (timing, error) {
	var t timing
	w.box.empty()
	for i, o := range all {
		whole, safe, err := w.one(ctx, c, o)
		if err != nil {
			return t, fmt.Errorf("%s: %w", c.name, err)
		}
		if i >= warmUp {
			t.whole, t.safe = append(t.whole, whole), append(t.safe, safe)
		}
		if err := wait(ctx, rand.N(2*c.apart)); err != nil {
			return t, err
		}
	}
	slices.Sort(t.whole)
	slices.Sort(t.safe)
	t.size = len(w.box.lastMail())
	before, err := proc.CPU(c.process.cmd.Process.Pid)
	if err != nil {
		return t, err
	}
	if err := wait(ctx, idleFor); err != nil {
		return t, err
	}
	after, err := proc.CPU(c.process.cmd.Process.Pid)
	t.idle = (after - before).Seconds() / idleFor.Seconds()
	return t, err
}

// idleFor is how long a process is watched while nothing happens.
const idleFor = 3 * time.Second

// A crowd is what came of mails that were asked for at once.
type crowd struct {
	tally
	took time.Duration // from the first call to the last mail
	cpu  time.Duration // of the process that sends
}

const (
	notedWithin = 250 * time.Millisecond // of the last mail
	silence     = 3 * time.Second        // how long nothing comes when nothing comes twice
)

// crowd has c send all mails at once, which a few connections ask for.
func (w *world) crowd(ctx context.Context, c *contender, all []order) (r crowd, err error) {
	w.box.empty()
	before, err := proc.CPU(c.process.cmd.Process.Pid)
	if err != nil {
		return r, err
	}
	began := time.Now()
	if err := place(ctx, c, all); err != nil {
		return r, fmt.Errorf("%s: %w", c.name, err)
	}
	w.box.awaitAll(ctx, len(all), patience, c.busy)
	r.took = w.box.count(len(all)).latest.Sub(began)
	// What is noted after the last mail is the process's work as well; looking for more is not.
	for ended := false; !ended; ended = !c.busy() {
		if err := wait(ctx, notedWithin); err != nil {
			return r, err
		}
	}
	after, err := proc.CPU(c.process.cmd.Process.Pid)
	if err != nil {
		return r, err
	}
	// A second mail would come now.
	if err := wait(ctx, silence); err != nil {
		return r, err
	}
	r.tally, r.cpu = w.box.count(len(all)), after-before
	return r, nil
}

// crowdRounds is how many crowds a contender sends that is held against others.
const crowdRounds = 3

// crowds has c send several crowds one after another. It returns the one whose last mail came neither first nor last of all, with all
// that was lost or came twice.
func (w *world) crowds(ctx context.Context, c *contender, rounds int, name string, size int, ask func(name string, n int) ([]order, error)) (r crowd, err error) {
	all := make([]crowd, rounds)
	for i := range all {
		orders, err := ask(fmt.Sprintf("%s%d-", name, i), size)
		if err != nil {
			return r, err
		}
		if all[i], err = w.crowd(ctx, c, orders); err != nil {
			return r, err
		}
		r.lost, r.doubled = r.lost+all[i].lost, r.doubled+all[i].doubled
	}
	slices.SortFunc(all, func(a, b crowd) int { return cmp.Compare(a.took, b.took) })
	lost, doubled := r.lost, r.doubled
	r = all[rounds/2]
	r.lost, r.doubled = lost, doubled
	return r, nil
}

// place asks for all mails, so many at a time.
func place(ctx context.Context, c *contender, all []order) error {
	var next atomic.Int64
	var placed sync.WaitGroup
	errs := make([]error, atOnce)
	for i := range errs {
		placed.Go(func() {
			for n := next.Add(1) - 1; n < int64(len(all)) && errs[i] == nil; n = next.Add(1) - 1 {
				_, errs[i] = c.enqueue(ctx, all[n])
			}
		})
	}
	placed.Wait()
	return errors.Join(errs...)
}

// percentile returns the duration that so many of 100 do not exceed; times are sorted.
func percentile(times []time.Duration, of100 int) time.Duration {
	if len(times) == 0 {
		return 0
	}
	return times[len(times)*of100/100]
}
