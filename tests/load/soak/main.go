// Command soak has a small town live with the whole system for half an hour while a function is killed every minute. It keeps a book of
// all that was acknowledged and looks in the end whether it is there; and it watches what every process holds: memory, goroutines,
// files and connections must be in the last minutes what they were in the first.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/honeydue/backend/tests/bench/report"
	"github.com/honeydue/backend/tests/load"
)

// options are what the command line says.
type options struct {
	duration time.Duration
	kill     time.Duration
	rate     int
	seed     uint64
	csv      string
}

// A soak ends by itself.
const (
	longest = 40 * time.Minute
	fastest = 100
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	met, err := soak(ctx, os.Args[1:], os.Stdout)
	if err == nil {
		err = report.Whole()
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(2)
	}
	if !met {
		os.Exit(1)
	}
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.DurationVar(&o.duration, "duration", 30*time.Minute, "how long people live there")
	flags.DurationVar(&o.kill, "kill", time.Minute, "how long it is from one kill to the next; 0 kills nobody")
	flags.IntVar(&o.rate, "rate", 60, "how many things people begin to do a second; most are one request, some a few")
	flags.Uint64Var(&o.seed, "seed", rand.Uint64(), "decides whom the kills meet; another one each time by default")
	flags.StringVar(&o.csv, "csv", "", "where the samples go; a file among the temporary ones by default")
	if err := flags.Parse(args); err != nil {
		return o, fmt.Errorf("read arguments: %w", err)
	}
	switch {
	case flags.NArg() > 0:
		return o, errors.New("read arguments: there is one too many; each begins with a dash")
	case o.duration < time.Minute || o.duration > longest:
		return o, fmt.Errorf("read arguments: -duration is from 1m to %s", longest)
	case o.kill < 0:
		return o, errors.New("read arguments: -kill is not negative")
	case o.rate < 1 || o.rate > fastest:
		return o, fmt.Errorf("read arguments: -rate is from 1 to %d a second", fastest)
	}
	return o, nil
}

// soak prints its tables to out and returns whether all targets were met.
func soak(ctx context.Context, args []string, out io.Writer) (met bool, err error) {
	o, err := parse(args)
	if err != nil {
		return false, err
	}
	const beside = 15 * time.Minute // for building, settling in and reckoning
	ctx, cancel := context.WithTimeout(ctx, o.duration+beside)
	defer cancel()
	at, end, err := load.Start(ctx, true)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, end()) }()
	b := &book{}
	town, err := settleIn(ctx, at, b)
	if err != nil {
		return false, fmt.Errorf("settle in: %w", err)
	}
	_, _ = fmt.Fprintf(out, "Soak: %d homes with %d people for %s, %d things a second, a kill every %s (-seed %d)\n\n",
		len(town.homes), len(town.people()), o.duration, o.rate, o.kill, o.seed)
	samples, err := live(ctx, town, o, out)
	if err != nil {
		return false, err
	}
	b.tried(o)
	path, err := keep(o.csv, samples)
	if err != nil {
		return false, err
	}
	fmt.Fprintln(os.Stderr, "samples:", path) // which is no figure
	kept, err := reckon(ctx, town, out)
	if err != nil {
		return false, err
	}
	flat, err := compare(out, o, samples)
	if err != nil {
		return false, err
	}
	steady, err := tellLives(out, samples)
	if err != nil {
		return false, err
	}
	return kept && flat && steady, nil
}

// live has the town live for as long as it is to, with all that goes on beside it, and returns what was sampled meanwhile.
func live(ctx context.Context, town *town, o options, out io.Writer) ([]sample, error) {
	watcher, err := watch(ctx, town.at)
	if err != nil {
		return nil, err
	}
	lasting, stop := context.WithTimeout(ctx, o.duration)
	defer stop()
	samples := make(chan []sample, 1)
	go func() { samples <- watcher.samples(lasting, town.book) }()
	reaped, ticked := make(chan struct{}), make(chan struct{})
	go func() { defer close(reaped); reap(lasting, town, o, out) }()
	go func() { defer close(ticked); tick(lasting, town) }()
	town.live(ctx, lasting, o.rate)
	<-reaped
	<-ticked
	taken := <-samples
	if err := watcher.close(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("live: %w", ctx.Err())
	}
	_, err = fmt.Fprintf(out, "\n%s\n", town.book.summary(o.duration))
	return taken, err
}
