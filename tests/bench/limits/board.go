package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/honeydue/backend/tests/bench/world"
)

// boardOf asks for a board as the app does. Boards that differ in how many days ahead is soon are kept apart.
func boardOf(ctx context.Context, p *world.Process, home int64, threshold int64) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/api/tasks/?days_threshold=%d", p.URL, threshold), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Authorization", "Token "+world.Token(owner(home)))
	req.Header.Set("Accept-Encoding", "gzip")
	return req, nil
}

const (
	usualThreshold = 30
	thresholds     = 364 // besides that
)

// kept is a load of boards that the cache has, of so many homes in turn.
func kept(p *world.Process, of int64) *load {
	return &load{status: http.StatusOK, call: func(ctx context.Context, number int64) (*http.Request, error) {
		return boardOf(ctx, p, number%of, usualThreshold)
	}}
}

// read is a load of boards that nobody has asked for. The usual ones are not among them.
func read(p *world.Process) *load {
	return &load{status: http.StatusOK, call: func(ctx context.Context, number int64) (*http.Request, error) {
		if number/homes >= thresholds {
			return nil, errors.New("every board has been asked for: there are too few homes for so fast a machine")
		}
		threshold := 1 + number/homes
		if threshold >= usualThreshold {
			threshold++
		}
		return boardOf(ctx, p, number%homes, threshold)
	}}
}

// cached is the board from the cache beside the bare handler: asked for by as many people as a process holds boards of, and by more.
func (b *bench) cached(ctx context.Context, out io.Writer) (all []outcome, err error) {
	ours, err := b.tasks(ctx, b.Start)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, ours.Stop()) }()
	if err := b.warm(ctx, ours); err != nil {
		return nil, err
	}
	const key = "bare"
	if err := b.keep(ctx, ours, key); err != nil {
		return nil, err
	}
	bare, err := b.Run(ctx, "bare", []string{processors(), "LISTEN_HOST=127.0.0.1", "REDIS_URL=" + b.Redis.URL(0), "KEY=" + key})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bare.Stop()) }()
	for _, of := range []struct {
		people string
		homes  int64
	}{{"people whose boards the process holds", fewHomes}, {"more people", homes}} {
		o, err := b.hold(ctx, contest{
			short: "board from the cache, of " + of.people,
			what:  fmt.Sprintf("A board of %d tasks from the cache, of %s: %d in turn", tasksAHome, of.people, of.homes), least: leastCached,
			ours:  "function tasks",
			start: func(ctx context.Context, start starter) (*world.Process, error) { return b.tasks(ctx, start) },
			turn: func(ctx context.Context, p *world.Process, d time.Duration) (run, error) {
				if err := kept(p, of.homes).repeat(ctx, 2*of.homes); err != nil { // tokens are forgotten after a minute
					return run{}, err
				}
				return b.measure(ctx, p, kept(p, of.homes), d)
			},
			limit: side{"bare handler", func(ctx context.Context, d time.Duration) (run, error) {
				return b.measure(ctx, bare, kept(bare, of.homes), d)
			}},
		}, ours)
		if err != nil {
			return nil, err
		}
		if err := b.print(ctx, out, o); err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}

// boards are those from the database beside pgbench.
func (b *bench) boards(ctx context.Context, out io.Writer) (all []outcome, err error) {
	sent, err := b.sent(ctx, read)
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("A board of %d tasks from the database: %d statement in %d round trip", tasksAHome, sent.sent, sent.trips)
	for _, m := range modes {
		o, err := b.beside(ctx, m, contest{
			short: "board from the database, " + m.function, what: what, least: leastBoard,
			turn: func(ctx context.Context, p *world.Process, d time.Duration) (run, error) {
				if err := b.forget(ctx); err != nil {
					return run{}, err
				}
				if err := b.warm(ctx, p); err != nil {
					return run{}, err
				}
				return b.measure(ctx, p, read(p), d)
			},
		}, sent)
		if err != nil {
			return nil, err
		}
		if err := b.print(ctx, out, o); err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}

// measure runs a load and says what it took of the machine.
func (b *bench) measure(ctx context.Context, p *world.Process, l *load, d time.Duration) (run, error) {
	return b.measured(p.PID(), func() (run, error) { return l.during(ctx, d) })
}
