package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/honeydue/backend/tests/bench/world"
)

// A mode is how a function speaks to its database and how pgbench does the same.
type mode struct{ function, pgbench string }

// modes are the one of production, behind a pooler, where each statement is read and planned anew, and the one with statements that are
// prepared once.
var modes = []mode{{"exec", "extended"}, {"cache_statement", "prepared"}}

// tasks starts function tasks, which is told of a bucket that it never asks for anything, with further variables.
func (b *bench) tasks(ctx context.Context, start starter, further ...string) (*world.Process, error) {
	return start(ctx, "tasks", append(further, processors(),
		"S3_ENDPOINT=http://127.0.0.1:1", "S3_REGION=none", "S3_BUCKET=none", "S3_ACCESS_KEY=none", "S3_SECRET_KEY=none")...)
}

// beside holds a contest of function tasks in one mode against pgbench, which runs what the function sent.
func (b *bench) beside(ctx context.Context, m mode, c contest, sent script) (o outcome, err error) {
	c.ours = "function tasks, " + m.function
	c.start = func(ctx context.Context, start starter) (*world.Process, error) {
		return b.tasks(ctx, start, "DATABASE_EXEC_MODE="+m.function)
	}
	p, err := c.start(ctx, b.Start)
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	c.limit = side{"pgbench, " + m.pgbench, func(ctx context.Context, d time.Duration) (run, error) {
		return b.measured(0, func() (run, error) { return b.pgbench(ctx, sent, m.pgbench, d) })
	}}
	if sent.answer != nil {
		c.answer = &side{"the same, to the answer", func(ctx context.Context, d time.Duration) (run, error) {
			r, err := b.measured(0, func() (run, error) { return b.pgbench(ctx, *sent.answer, m.pgbench, d) })
			if err != nil {
				return r, err
			}
			return r, b.publish(ctx)
		}}
	}
	return b.hold(ctx, c, p)
}

// sent records what function tasks sends to the database for the first request of a load, to the last statement behind the answer.
func (b *bench) sent(ctx context.Context, of func(p *world.Process) *load) (s script, err error) {
	if err := b.forget(ctx); err != nil {
		return s, err
	}
	direct, err := url.Parse(b.Postgres.URL(world.Role("tasks"), world.Database))
	if err != nil {
		return s, fmt.Errorf("read address of PostgreSQL: %w", err)
	}
	r, err := record(ctx, direct.Host)
	if err != nil {
		return s, err
	}
	direct.Host = r.listener.Addr().String()
	// However busy the machine is, a token that is kept is not asked for.
	p, err := b.tasks(ctx, b.Start, "DATABASE_URL="+direct.String(), "REDIS_BUDGET=10s")
	if err != nil {
		return s, errors.Join(err, r.listener.Close())
	}
	before, err := b.tell(ctx, p, r, of(p))
	err = errors.Join(err, p.Stop())
	trips, stopErr := r.stop(before)
	if err := errors.Join(err, stopErr); err != nil {
		return s, fmt.Errorf("record what function tasks sends: %w", err)
	}
	if len(trips) == 0 {
		return s, errors.New("record what function tasks sends: it sent nothing")
	}
	s = write(trips)
	if last := trips[len(trips)-1]; strings.Contains(last[0].sql, "publications") {
		answer := write(trips[:len(trips)-1])
		s.answer = &answer
	}
	return s, nil
}

// tell sends the first request of a load, behind another one of the same person: a process asks some things once, and their token
// is kept then. It returns how many trips there were before.
func (b *bench) tell(ctx context.Context, p *world.Process, r *recorder, l *load) (before int, err error) {
	c, transport := client()
	defer transport.CloseIdleConnections()
	if _, err := read(p).one(ctx, c, (thresholds-1)*homes); err != nil {
		return 0, err
	}
	before = r.count()
	_, err = l.one(ctx, c, 0)
	return before, err
}
