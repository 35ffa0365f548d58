package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	servingv1 "knative.dev/serving/pkg/apis/serving/v1"

	"github.com/honeydue/backend/knative/local/mailbox"
	"github.com/honeydue/backend/tests/bench/report"
)

// costs are what things take of the machine beyond what it takes when nothing happens.
type costs struct {
	session map[string]time.Duration // by group
	wakeUp  map[string]time.Duration // of one pod, its end included, beyond what it takes to stay meanwhile
	stay    map[string]time.Duration // of one pod that nobody asks anything, in a second
	woken   int                      // pods, in all rounds
	rounds  int
	holds   int64 // bytes, of one pod with its sidecar
}

const (
	warmSessions = 30
	staying      = time.Minute
	stayer       = "stayer"
)

// costs measures them one after the other.
func (b *bench) costs(ctx context.Context, quiet *watched) (c *costs, err error) {
	c = &costs{rounds: b.rounds}
	r, err := b.settleIn(ctx)
	if err != nil {
		return nil, fmt.Errorf("make a resident: %w", err)
	}
	if err := untilAlone(func() error { return b.sessions(ctx, quiet, r, c) }); err != nil {
		return nil, fmt.Errorf("open the app: %w", err)
	}
	if err := untilAlone(func() error { return b.stays(ctx, quiet, c) }); err != nil {
		return nil, fmt.Errorf("let a pod stay: %w", err)
	}
	if err := b.wakeUps(ctx, quiet, r, c); err != nil {
		return nil, fmt.Errorf("wake functions: %w", err)
	}
	return c, nil
}

// errTick means that what was measured is not what happened alone.
var errTick = errors.New("a schedule's tick fell into it: on a less busy machine it will not")

// untilAlone measures again, a few times, while a tick falls into it.
func untilAlone(measure func() error) (err error) {
	for range 3 {
		if err = measure(); !errors.Is(err, errTick) {
			return err
		}
	}
	return err
}

// sessions has the app opened again and again while everything is awake.
func (b *bench) sessions(ctx context.Context, quiet *watched, r *resident, c *costs) error {
	if _, err := between(ctx, 2*time.Minute); err != nil {
		return err
	}
	if err := r.openApp(ctx); err != nil {
		return err
	}
	// Its event has woken notifications when the mail is there.
	if _, err := b.Mailbox.Wait(ctx, func(m mailbox.Message) bool { return aboutTask(m, r.told) }); err != nil {
		return fmt.Errorf("wait for mail: %w", err)
	}
	sent := b.mails(r)
	w, err := b.during(ctx, func() error {
		for range warmSessions {
			if err := r.openApp(ctx); err != nil {
				return err
			}
		}
		return nil
	}, func(*watched) bool { return b.mails(r)-sent >= warmSessions })
	if err != nil {
		return err
	}
	if w.saw("sweeper") {
		return errTick
	}
	c.session = share(w.beyond(quiet), warmSessions)
	return nil
}

// wakeUps has the app opened while everything sleeps, and waits until it sleeps again.
func (b *bench) wakeUps(ctx context.Context, quiet *watched, r *resident, c *costs) error {
	c.wakeUp = map[string]time.Duration{}
	for range b.rounds {
		if err := b.AwaitZero(ctx); err != nil {
			return err
		}
		if err := pause(ctx, settling); err != nil {
			return err
		}
		var asleep time.Time
		w, err := b.during(ctx, func() error { return r.openApp(ctx) }, func(w *watched) bool {
			if w.awake > 0 || asleep.IsZero() {
				asleep = time.Now()
			}
			return time.Since(asleep) > settling
		})
		if err != nil {
			return err
		}
		c.woken += len(w.stays)
		var stayed time.Duration // what that takes is counted by the time that pods stay
		for _, s := range w.stays {
			stayed += s.last.Sub(s.first)
		}
		for group, d := range w.beyond(quiet) {
			c.wakeUp[group] += d - c.session[group] - time.Duration(stayed.Seconds()*float64(c.stay[group]))
		}
	}
	if c.woken == 0 {
		return errors.New("nobody woke")
	}
	c.wakeUp = share(c.wakeUp, c.woken)
	return nil
}

// stays keeps one more pod, of a function that nobody asks anything.
func (b *bench) stays(ctx context.Context, quiet *watched, c *costs) (err error) {
	defer func() { err = errors.Join(err, b.RemoveCopies(context.WithoutCancel(ctx), stayer)) }()
	if err := b.Copy(ctx, "tasks", stayer, func(spec *servingv1.ServiceSpec) {
		spec.Template.Annotations["autoscaling.knative.dev/min-scale"] = "1"
	}); err != nil {
		return err
	}
	if err := b.AwaitCopies(ctx, stayer); err != nil {
		return err
	}
	for {
		if err := b.AwaitZero(ctx, b.Functions()...); err != nil {
			return err
		}
		// What a tick wakes meanwhile sleeps before the next look at the clock.
		if waited, err := between(ctx, settling+2*staying); err != nil {
			return err
		} else if !waited {
			break
		}
	}
	if err := pause(ctx, settling); err != nil {
		return err
	}
	until := time.Now().Add(staying)
	w, err := b.during(ctx, func() error { return nil }, func(*watched) bool { return time.Now().After(until) })
	if err != nil {
		return err
	}
	if len(w.stays) != 1 {
		return errTick
	}
	c.stay = w.beyond(quiet)
	for group, d := range c.stay {
		c.stay[group] = time.Duration(float64(d) / w.all.took.Seconds())
	}
	for p := range w.memory {
		if p.group == functions {
			c.holds += w.holds(p)
		}
	}
	return nil
}

// print writes what each thing costs.
func (c *costs) print(out io.Writer) error {
	_, _ = fmt.Fprintf(out, "\nWhat happens, in milliseconds of CPU beyond what is spent when nothing does: a session of %d calls with everything awake (%d in a row),\n"+
		"a pod that is woken and ends (%d in %d rounds), and a second of a pod that nobody asks anything (over %s; it holds %s).\n"+
		"Looks are a second apart: what lives shorter, such as runc at each start of a container, is not in it\n\n",
		callsASession, warmSessions, c.woken, c.rounds, staying, report.MiB(c.holds))
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(table, "what\t")
	for _, group := range groups {
		if group != scaffold {
			_, _ = fmt.Fprintf(table, "%s\t", group)
		}
	}
	_, _ = fmt.Fprintln(table, "on the nodes\t")
	for _, row := range []struct {
		what string
		sums map[string]time.Duration
	}{{"a session", c.session}, {"a wake-up", c.wakeUp}, {"a second awake", c.stay}} {
		_, _ = fmt.Fprintf(table, "%s\t", row.what)
		for _, group := range groups {
			if group != scaffold {
				_, _ = fmt.Fprintf(table, "%.1f\t", row.sums[group].Seconds()*1000)
			}
		}
		_, _ = fmt.Fprintf(table, "%.1f\t\n", onNodes(row.sums).Seconds()*1000)
	}
	return table.Flush()
}
