package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/honeydue/backend/tests/bench/world"
)

// creation makes tasks as the app does: under a key, and for the other person of the home, who is told by an event.
func creation(p *world.Process) *load {
	return &load{status: http.StatusCreated, call: func(ctx context.Context, number int64) (*http.Request, error) {
		home := number % homes
		body := fmt.Sprintf(`{"residence_id": %d, "title": "Clean the gutters", "description": "Both sides, and look at the joints", "category_id": 11, `+
			`"priority_id": 2, "frequency_id": 7, "due_date": "2027-10-31", "assigned_to_id": %d, "estimated_cost": "129.90"}`, firstHome+home, owner(home)+1)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+"/api/tasks/", strings.NewReader(body))
		if err != nil {
			return nil, fmt.Errorf("make request: %w", err)
		}
		req.Header.Set("Authorization", "Token "+world.Token(owner(home)))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", rand.Text())
		return req, nil
	}}
}

// creations is creating tasks beside pgbench.
func (b *bench) creations(ctx context.Context, out io.Writer) (all []outcome, err error) {
	sent, err := b.sent(ctx, creation)
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("Creating a task under a key for the other person of the home, whom an event tells: %d statements in %d round trips, of which the one\n"+
		"behind publishing comes after the function's answer: answers a second are beside all of it, until all is published, and times beside what is before it", sent.sent, sent.trips)
	for _, m := range modes {
		before, err := b.rows(ctx)
		if err != nil {
			return nil, err
		}
		o, err := b.beside(ctx, m, contest{
			short: "create a task, " + m.function, what: what, least: leastCreate, wanted: wantedCreate, slowest: slowCreate, turn: b.create,
		}, sent)
		if err != nil {
			return nil, err
		}
		if err := b.check(ctx, o, before); err != nil {
			return nil, err
		}
		if err := b.print(ctx, out, o); err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}

// create is a turn of creating tasks, to the last publication.
func (b *bench) create(ctx context.Context, p *world.Process, d time.Duration) (run, error) {
	if err := kept(p, homes).repeat(ctx, homes); err != nil { // tokens are forgotten after a minute
		return run{}, err
	}
	return b.measured(p.PID(), func() (run, error) {
		r, err := creation(p).during(ctx, d)
		if err != nil {
			return r, err
		}
		began := time.Now()
		err = b.published(ctx)
		r.Took += time.Since(began)
		return r, err
	})
}

// published returns once the publication of every event is noted.
func (b *bench) published(ctx context.Context) error {
	for {
		var left bool
		if err := b.DB.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM outbox_delivery WHERE publications = 0)`).Scan(&left); err != nil {
			return fmt.Errorf("look for what is not published: %w", err)
		}
		if !left {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// publish notes what pgbench did not: that every event is published.
func (b *bench) publish(ctx context.Context) error {
	if _, err := b.DB.Exec(ctx, `UPDATE outbox_delivery SET publications = 1, next_at = now() + interval '1 hour' WHERE publications = 0`); err != nil {
		return fmt.Errorf("note publications: %w", err)
	}
	return nil
}

// rows returns how many tasks, keys, events and deliveries there are.
func (b *bench) rows(ctx context.Context) (n [4]int, err error) {
	const count = `
SELECT (SELECT count(*) FROM task_task), (SELECT count(*) FROM shared_idempotency), (SELECT count(*) FROM outbox_event), (SELECT count(*) FROM outbox_delivery)`
	if err := b.DB.QueryRow(ctx, count).Scan(&n[0], &n[1], &n[2], &n[3]); err != nil {
		return n, fmt.Errorf("count rows: %w", err)
	}
	return n, nil
}

// check returns an error unless either side has written one row of each for everything that it did.
func (b *bench) check(ctx context.Context, o outcome, before [4]int) error {
	after, err := b.rows(ctx)
	if err != nil {
		return err
	}
	done := 0
	for _, r := range slices.Concat(o.ours, o.limit, o.answer) {
		done += r.Done()
	}
	for i, name := range [...]string{"tasks", "keys", "events", "deliveries"} {
		if made := after[i] - before[i]; made != done {
			return fmt.Errorf("%d tasks were created, and there are %d more %s: pgbench does not do what the function does", done, made, name)
		}
	}
	return nil
}
