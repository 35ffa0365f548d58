package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/tests/bench/proc"
	"github.com/honeydue/backend/tests/bench/world"
)

// tasksAHome is how many tasks a home has, unless it is said.
const tasksAHome = 100

// A stage is a world with people in it.
type stage struct{ *world.World }

// with runs fn on functions of these names, in their order, which begin anew, with further variables, and adds the most that each held
// to the table. None of them has a bucket, nor needs one for what is measured.
func (s *stage) with(ctx context.Context, t *table, size int, names []string, fn func(at []string) error, further ...string) (err error) {
	further = append(further, "CODE_KEY="+strings.Repeat("k", 32),
		"S3_ENDPOINT=http://127.0.0.1:1", "S3_REGION=none", "S3_BUCKET=none", "S3_ACCESS_KEY=none", "S3_SECRET_KEY=none")
	urls, running := make([]string, len(names)), make([]*world.Process, 0, len(names))
	defer func() {
		for _, p := range running {
			err = errors.Join(err, p.Stop())
		}
	}()
	for i, name := range names {
		p, err := s.Start(ctx, name, further...)
		if err != nil {
			return err
		}
		urls[i], running = p.URL, append(running, p)
	}
	if err := fn(urls); err != nil {
		return err
	}
	for i, name := range names {
		bytes, err := proc.Memory(running[i].PID())
		if err != nil {
			return err
		}
		t.memory("memory of "+name, size, bytes)
	}
	return nil
}

// A couple has a home of [tasksAHome] tasks. One of them asks for everything.
type couple struct {
	person, other, home int64
	open                []int64 // tasks that can be completed, again and again
}

// couples makes so many of them, with an entry of history for each task.
func (s *stage) couples(ctx context.Context, n int) ([]couple, error) {
	people, err := s.People(ctx, 2*n)
	if err != nil {
		return nil, err
	}
	if err := s.Settle(ctx, people[:n], tasksAHome, 1); err != nil {
		return nil, err
	}
	all := make([]couple, n)
	for i := range all {
		c := couple{person: people[i], other: people[n+i]}
		const join = `INSERT INTO residence_member (residence_id, user_id, role) SELECT id, $2::bigint, 'member' FROM residence_residence WHERE created_by_id = $1::bigint RETURNING residence_id`
		if err := s.DB.QueryRow(ctx, join, c.person, c.other).Scan(&c.home); err != nil {
			return nil, fmt.Errorf("join home: %w", err)
		}
		rows, err := s.DB.Query(ctx, `SELECT id FROM task_task WHERE residence_id = $1::bigint AND next_due_on IS NOT NULL ORDER BY id`, c.home)
		if err != nil {
			return nil, fmt.Errorf("list tasks: %w", err)
		}
		if c.open, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil {
			return nil, fmt.Errorf("list tasks: %w", err)
		}
		all[i] = c
	}
	return all, nil
}
