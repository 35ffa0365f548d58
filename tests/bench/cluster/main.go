// Command cluster measures, on the cluster of KUBECONFIG, how long functions take to wake, and what the way through Traefik and
// Knative costs a warm one: the same pod is asked through the ingress and at its own port. Beside both stands an empty service that
// goes the same way. It ends with 1 when a target is missed.
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
	"github.com/honeydue/backend/tests/cluster/coldstart"
)

// options are what the command line says.
type options struct {
	cold, rounds int
	each         time.Duration
}

func main() {
	o := options{}
	flag.IntVar(&o.cold, "cold", 20, "how often each function is woken; 0 leaves that out")
	flag.IntVar(&o.rounds, "rounds", 3, "how often the ways to a warm pod take turns; 0 leaves that out")
	flag.DurationVar(&o.each, "each", 10*time.Second, "how long a way has each time")
	flag.Parse()
	report.Main("cluster", o.bench)
}

func (o options) bench(ctx context.Context, out io.Writer) (met bool, err error) {
	environment, err := cluster.FromEnv()
	if err != nil {
		return false, err
	}
	c, err := cluster.Up(ctx, environment, os.Stderr)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, c.Down(context.WithoutCancel(ctx))) }()
	met = true
	if o.cold > 0 {
		measured, err := coldstart.Measure(ctx, c, o.cold)
		if err != nil {
			return false, err
		}
		if met, err = measured.Print(out); err != nil {
			return false, err
		}
		_, _ = fmt.Fprintln(out)
	}
	if o.rounds > 0 {
		near, err := o.contest(ctx, out, c)
		if err != nil {
			return false, err
		}
		met = met && near
	}
	return met, nil
}
