// Command idle measures, on the cluster of KUBECONFIG, what runs there while nothing happens, what a wake-up costs, a pod that stays,
// and somebody who opens the app; and works out from that, and from assumptions that it prints, what 1,000 households cost in a month.
// It has no target: it ends with 1 only when it could not measure.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/honeydue/backend/tests/bench/report"
	"github.com/honeydue/backend/tests/cluster"
)

// A bench is a cluster and how long it is looked at.
type bench struct {
	*cluster.Cluster

	lasting time.Duration // the quiet time
	rounds  int           // of wake-ups
}

func main() {
	b := &bench{}
	flag.DurationVar(&b.lasting, "for", 10*time.Minute, "how long nothing happens, ticks of the schedules aside")
	flag.IntVar(&b.rounds, "rounds", 3, "how often everything that somebody needs is woken")
	flag.Parse()
	report.Main("idle", b.run)
}

func (b *bench) run(ctx context.Context, out io.Writer) (met bool, err error) {
	if b.lasting < shortest || b.rounds < 1 {
		return false, fmt.Errorf("read arguments: -for is at least %s, -rounds at least 1", shortest)
	}
	environment, err := cluster.FromEnv()
	if err != nil {
		return false, err
	}
	if b.Cluster, err = cluster.Up(ctx, environment, os.Stderr); err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, b.Down(context.WithoutCancel(ctx))) }()
	quiet, err := b.quiet(ctx)
	if err != nil {
		return false, fmt.Errorf("watch nothing happen: %w", err)
	}
	if err := quiet.print(out); err != nil {
		return false, err
	}
	if err := quiet.printWakeUps(out, b.Manifests); err != nil {
		return false, err
	}
	// What never comes, such as a mail, ends the wait and not the cluster.
	soon, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	costs, err := b.costs(soon, quiet)
	if err != nil {
		return false, err
	}
	if err := costs.print(out); err != nil {
		return false, err
	}
	return true, printModel(out, b.Manifests, quiet, costs)
}

// shortest is the least time in which one can tell a quiet second from one that is not.
const shortest = time.Minute

// quiet waits until everything sleeps, and then looks on.
func (b *bench) quiet(ctx context.Context) (*watched, error) {
	asleep, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	if err := b.AwaitZero(asleep); err != nil {
		return nil, err
	}
	// What ended the last pods is over by then.
	if err := pause(ctx, settling); err != nil {
		return nil, err
	}
	w := b.watch()
	until := time.Now().Add(b.lasting)
	if err := w.until(ctx, func() bool { return time.Now().After(until) }); err != nil {
		return nil, err
	}
	if w.calm.took < leastCalm {
		return nil, fmt.Errorf("everything slept for %s alone", w.calm.took.Round(time.Second))
	}
	return w, nil
}

// leastCalm is how long everything must have slept, for what that takes to be told.
const leastCalm = 30 * time.Second

// longest is what falling asleep may take, and measuring the costs, of which most is waiting for what sleeps.
const longest = 30 * time.Minute

// settling is how long Kubernetes and Knative tidy up behind a pod.
const settling = 20 * time.Second

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// between waits until the schedules' last ticks are over and the next ones as far ahead as is needed, and returns whether it had to.
func between(ctx context.Context, needed time.Duration) (waited bool, err error) {
	const apart, over = 5 * time.Minute, time.Minute
	now := time.Now()
	last := now.Truncate(apart)
	if now.Sub(last) < over {
		return true, pause(ctx, over-now.Sub(last))
	}
	if ahead := last.Add(apart).Sub(now); ahead < needed {
		return true, pause(ctx, ahead+over)
	}
	return false, nil
}
