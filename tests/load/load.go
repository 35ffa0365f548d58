// Package load is the frame of the load tests: one program per function, which says what its people do and what it promises. The
// frame starts the system, or finds it, attacks with vegeta at a rate or as fast as answers come, looks into every answer, and
// ends with 1 when the promise was not kept.
package load

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/honeydue/backend/tests/bench/report"
)

// A Test is the load of one function.
type Test struct {
	Function string
	Rate     int                      // requests a second unless -rate says otherwise
	P99      time.Duration            // what 99 of 100 answers to a call may take at that rate
	Slower   map[string]time.Duration // and to those that take longer, by their names
	Inside   bool                     // it takes events alone: there is no way to it from outside

	// Mix makes the people and what they have, and returns what they do. Each call of what it returns is the next request.
	Mix func(ctx context.Context, at *Site) (func() Call, error)
	// Settle, when there is one, returns once what was acknowledged has had its effect, or an error that says what is missing.
	Settle func(ctx context.Context, at *Site) error
}

// options are what the command line says.
type options struct {
	target   string
	rate     int
	duration time.Duration
	clients  uint64
	plot     string
	profiles string
}

// A load may take this long, as many requests a second, and as many requests at most: it ends by itself. Each event is made before
// it is sent.
const (
	longest    = 40 * time.Minute
	fastest    = 20_000
	most       = 2_000_000
	mostEvents = 100_000
)

// Main runs t and ends the process: with 0 when its promise was kept, with 1 when it was not, with 2 when it could not be tried.
func Main(t Test) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	met, err := t.main(ctx, os.Args[1:], os.Stdout)
	if err == nil {
		err = report.Whole()
	}
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "load of %s: %v\n", t.Function, err)
		os.Exit(2)
	}
	if !met {
		os.Exit(1)
	}
}

func (t Test) main(ctx context.Context, args []string, out io.Writer) (bool, error) {
	o, err := t.parse(args)
	if err != nil {
		return false, err
	}
	return t.run(ctx, o, out)
}

func (t Test) parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet(t.Function, flag.ContinueOnError)
	flags.StringVar(&o.target, "target", "", "a running system's address on loopback, or `cluster` for that of KUBECONFIG; a system of its own by default")
	flags.IntVar(&o.rate, "rate", t.Rate, "requests a second; 0 asks again as soon as an answer is there")
	flags.DurationVar(&o.duration, "duration", 15*time.Second, "how long the load lasts")
	flags.Uint64Var(&o.clients, "clients", 16, "how many ask at the same time where there is no rate")
	flags.StringVar(&o.plot, "plot", "", "where vegeta's plot goes; "+t.Function+".html in a folder of the system's by default")
	flags.StringVar(&o.profiles, "profiles", "", "a folder for profiles of the function, which is built to tell them; only with a system of its own")
	if err := flags.Parse(args); err != nil {
		return o, fmt.Errorf("read arguments: %w", err)
	}
	switch {
	case flags.NArg() > 0:
		return o, errors.New("read arguments: there is one too many; each begins with a dash")
	case o.rate < 0 || o.rate > fastest:
		return o, fmt.Errorf("read arguments: -rate is from 0 to %d a second", fastest)
	case o.duration <= 0 || o.duration > longest:
		return o, fmt.Errorf("read arguments: -duration is at most %s", longest)
	case o.clients < 1 || o.clients > crowd:
		return o, fmt.Errorf("read arguments: -clients is from 1 to %d", crowd)
	case float64(o.rate)*o.duration.Seconds() > t.most():
		return o, fmt.Errorf("read arguments: more than %.0f requests: lower -rate or -duration", t.most())
	case o.profiles != "" && o.target != "":
		return o, errors.New("read arguments: -profiles needs a system of its own: leave -target out")
	case t.Inside && o.target != "":
		return o, fmt.Errorf("function %s takes events, which reach it only inside: leave -target out, and a system is started for it", t.Function)
	}
	return o, nil
}

// most is how many requests a load may have.
func (t Test) most() float64 {
	if t.Inside {
		return mostEvents
	}
	return most
}

func (t Test) run(ctx context.Context, o options, out io.Writer) (met bool, err error) {
	at, err := open(ctx, t.Function, o)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, at.close()) }()
	began := time.Now()
	next, err := t.Mix(ctx, at)
	if err != nil {
		return false, fmt.Errorf("make people: %w", err)
	}
	seeded := time.Since(began)
	r, err := attack(ctx, at, o, next)
	if err != nil {
		return false, err
	}
	if t.Settle != nil {
		settling, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		began := time.Now()
		if err := t.Settle(settling, at); err != nil {
			r.lost = err
		}
		r.settled = time.Since(began)
	}
	r.seeded = seeded
	fmt.Fprintln(os.Stderr, "plot:", r.plot) // which is no figure
	return t.print(out, o, r)
}

// patience is how long effects may take that come after the answers.
const patience = time.Minute
