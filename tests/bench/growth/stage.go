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

// insertHomes makes a home for each of the people $1, of whom one may be named more than once, with $2 tasks that have something in every
// field and stand in every column of the board, and an entry of history for one in $3 of them. Tasks of one home are not neighbours,
// as those are not that people add by and by.
const insertHomes = `
WITH made AS (
    INSERT INTO residence_residence (name, created_by_id) SELECT 'Home', person FROM unnest($1::bigint[]) person RETURNING id, created_by_id
), members AS (
    INSERT INTO residence_member (residence_id, user_id, role) SELECT id, created_by_id, 'owner' FROM made
), added AS (
    INSERT INTO task_task (residence_id, title, description, category_id, priority_id, frequency_id, due_on, next_due_on, assigned_to_id,
        estimated_cost, in_progress, last_completed_on, completion_count, created_by_id)
    SELECT h.id, 'Look after thing ' || n, 'Both sides, and the joints; the ladder stands behind the shed of the neighbours.',
        1 + n % 13, 1 + n % 4, 2 + n % 7, current_date - 90 + n * 5, CASE WHEN n % 10 > 0 THEN current_date - 90 + n * 5 END,
        h.created_by_id, 129.90, n % 9 = 0, CASE WHEN n % 10 = 0 THEN current_date - n END, CASE WHEN n % 10 = 0 THEN 1 ELSE 0 END, h.created_by_id
    FROM made h CROSS JOIN generate_series(1, $2::int) n ORDER BY n, h.id
    RETURNING id, created_by_id
)
INSERT INTO task_taskcompletion (task_id, completed_by_id, completed_on, occurrence_on, before_in_progress)
SELECT id, created_by_id, current_date, current_date, false FROM added WHERE id % $3::int = 0`

// settle makes a home for each of these people, with so many tasks and an entry of history for one in every so many.
func (s *stage) settle(ctx context.Context, people []int64, tasks, every int) error {
	if _, err := s.DB.Exec(ctx, insertHomes, people, tasks, every); err != nil {
		return fmt.Errorf("insert homes: %w", err)
	}
	return nil
}

// crowd has so many people come, 1,000 at a time, each with a home of so many tasks, and does what PostgreSQL does by itself some time
// after so many rows. It returns who came.
func (s *stage) crowd(ctx context.Context, n, tasks int) (all []int64, err error) {
	const atOnce, every = 1_000, 5
	// Looking up every foreign key would take most of the time.
	if _, err := s.DB.Exec(ctx, `SET session_replication_role = replica`); err != nil {
		return nil, fmt.Errorf("trust what is inserted: %w", err)
	}
	for len(all) < n {
		came, err := s.People(ctx, min(atOnce, n-len(all)))
		if err != nil {
			return nil, err
		}
		if err := s.settle(ctx, came, tasks, every); err != nil {
			return nil, err
		}
		all = append(all, came...)
	}
	if _, err := s.DB.Exec(ctx, `SET session_replication_role = origin`); err != nil {
		return nil, fmt.Errorf("trust no more: %w", err)
	}
	return all, s.rest(ctx)
}

// rest tidies the tables and has everything written to the disk, so that neither happens while something is measured.
func (s *stage) rest(ctx context.Context) error {
	for _, statement := range []string{"VACUUM ANALYZE", "CHECKPOINT"} {
		if _, err := s.DB.Exec(ctx, statement); err != nil {
			return fmt.Errorf("tidy tables: %w", err)
		}
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
	if err := s.settle(ctx, people[:n], tasksAHome, 1); err != nil {
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
