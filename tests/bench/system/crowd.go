package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/knative/local"
	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/shared/devserver/wire"
	"github.com/honeydue/backend/tests/story"

	"github.com/honeydue/backend/tests/bench/report"
)

// Targets of the median of a board of 1,000 tasks in 10 homes, and of how much longer it may take when the table holds
// 1,000,000 tasks of other people as well.
const (
	warmBoard   = 3 * time.Millisecond
	coldBoard   = 25 * time.Millisecond
	crowdFactor = 1.3
)

const (
	ownHomes    = 10
	tasksAHome  = 100
	otherPeople = 10_000
	boardReads  = 300

	// Values of days_threshold, of which each has a board of its own in the cache.
	defaultAhead = 30
	longestAhead = 365
)

// insertTasks fills homes with tasks that have something in every field and stand in every column of the board.
const insertTasks = `
INSERT INTO task_task (residence_id, title, description, category_id, priority_id, frequency_id, due_on, next_due_on, assigned_to_id,
    estimated_cost, in_progress, last_completed_on, completion_count, created_by_id)
SELECT h.residence_id, 'Look after thing ' || n, 'Both sides, and the joints; the ladder stands behind the shed of the neighbours.',
    1 + n % 13, 1 + n % 4, 1 + n % 8, current_date - 90 + n * 5, CASE WHEN n % 10 > 0 THEN current_date - 90 + n * 5 END,
    h.user_id, '129.90', n % 9 = 0, CASE WHEN n % 10 = 0 THEN current_date - n END, CASE WHEN n % 10 = 0 THEN 1 ELSE 0 END, h.user_id
FROM homes h CROSS JOIN generate_series(1, $1::int) n`

const (
	insertOwn = `WITH homes AS (SELECT residence_id, user_id FROM residence_member WHERE user_id = $2)` + insertTasks

	insertOthers = `
WITH people AS (
    INSERT INTO auth_user (email, first_name, last_name) SELECT 'other.' || n || '@example.com', 'Ona', 'Other' FROM generate_series(1, $2::int) n
    RETURNING id
), made AS (
    INSERT INTO residence_residence (name, created_by_id) SELECT 'Flat', id FROM people RETURNING id AS residence_id, created_by_id AS user_id
), homes AS (
    INSERT INTO residence_member (residence_id, user_id, role) SELECT residence_id, user_id, 'owner' FROM made RETURNING residence_id, user_id
)` + insertTasks
)

// A boardTime is the median of many reads of one board, and how large it is.
type boardTime struct {
	warm, cold time.Duration
	bytes      int
}

// benchCrowd prints how long a board of 1,000 tasks takes from the cache and without it, first among few tasks of other people
// and then among 1,000,000, and returns whether all targets are met.
func benchCrowd(ctx context.Context, out io.Writer, s *local.System, counter *wire.Counter) (bool, error) {
	db, err := pgx.Connect(ctx, s.Postgres.URL(devserver.Owner, "honeydue"))
	if err != nil {
		return false, fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = db.Close(ctx) }()
	p, home, err := ownerOf(ctx, s, ownHomes)
	if err != nil {
		return false, err
	}
	if err := fill(ctx, db, insertOwn, tasksAHome, p.ID); err != nil {
		return false, err
	}
	alone, err := timeBoard(ctx, p, home, counter)
	if err != nil {
		return false, err
	}
	if err := fill(ctx, db, insertOthers, tasksAHome, otherPeople); err != nil {
		return false, err
	}
	crowded, err := timeBoard(ctx, p, home, counter)
	if err != nil {
		return false, err
	}
	return printCrowd(out, alone, crowded)
}

// ownerOf registers somebody and makes them that many homes, of which it returns the last.
func ownerOf(ctx context.Context, s *local.System, homes int) (p *story.Person, home int64, err error) {
	if p, err = story.Register(ctx, story.NewPhone(s.URL), "Carla"); err != nil {
		return nil, 0, fmt.Errorf("register: %w", err)
	}
	for range homes {
		if home, err = story.Share(ctx, p); err != nil {
			return nil, 0, err
		}
	}
	return p, home, nil
}

// fill runs an insertion, and what PostgreSQL does by itself some time after so many rows.
func fill(ctx context.Context, db *pgx.Conn, insertion string, args ...any) error {
	if _, err := db.Exec(ctx, insertion, args...); err != nil {
		return fmt.Errorf("insert tasks: %w", err)
	}
	for _, table := range []string{"auth_user", "residence_residence", "residence_member", "task_task"} {
		if _, err := db.Exec(ctx, "VACUUM ANALYZE "+table); err != nil {
			return fmt.Errorf("tidy %s: %w", table, err)
		}
	}
	return nil
}

// forget has the cache forget all boards of p, as a task that comes and goes does.
func forget(ctx context.Context, p *story.Person, home int64) error {
	var made struct{ ID int64 }
	err := p.Create(ctx, "/api/tasks/", http.StatusCreated, map[string]any{"residence_id": home, "title": "Sweep"}, &made)
	if err != nil {
		return err
	}
	answer, err := p.Call(ctx, http.MethodDelete, fmt.Sprintf("/api/tasks/%d/", made.ID), nil, "")
	if err != nil {
		return err
	}
	return answer.Decode(http.StatusNoContent, nil)
}

// timeBoard reads the same board again and again, and then boards that differ in their threshold, none of which is kept.
func timeBoard(ctx context.Context, p *story.Person, home int64, counter *wire.Counter) (boardTime, error) {
	if err := forget(ctx, p, home); err != nil {
		return boardTime{}, err
	}
	if err := quiet(ctx, counter); err != nil {
		return boardTime{}, err
	}
	var measured boardTime
	var err error
	for _, reads := range []struct {
		into      *time.Duration
		threshold func(i int) int
		cached    bool
	}{
		{&measured.warm, func(int) int { return defaultAhead }, true},
		{&measured.cold, func(i int) int { return longestAhead - i%longestAhead }, false},
	} {
		if *reads.into, err = median(func(i int) (time.Duration, bool, error) {
			before := counter.Counts()
			took, size, err := readBoard(ctx, p, reads.threshold(i))
			if reads.cached {
				measured.bytes = size
			}
			return took, counter.Counts() == before == reads.cached, err
		}); err != nil {
			return boardTime{}, err
		}
	}
	return measured, nil
}

// readBoard reads all tasks of p and returns how long that took, to the last byte, and how many bytes came.
func readBoard(ctx context.Context, p *story.Person, threshold int) (time.Duration, int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/api/tasks/?days_threshold=%d", p.URL, threshold), nil)
	if err != nil {
		return 0, 0, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Authorization", "Token "+p.Token)
	began := time.Now()
	res, err := p.Client.Do(req)
	if err != nil {
		return 0, 0, fmt.Errorf("board: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	size, err := io.Copy(io.Discard, res.Body)
	took := time.Since(began)
	if err != nil || res.StatusCode != http.StatusOK {
		return 0, 0, fmt.Errorf("board: answered %d: %w", res.StatusCode, err)
	}
	return took, int(size), nil
}

// median returns the middle of the durations of reads that count. Redis that is late on a busy machine is passed over, so that
// a board which is kept comes from the database: such a read is done again.
func median(read func(i int) (took time.Duration, counts bool, err error)) (time.Duration, error) {
	var times []time.Duration
	for i := 0; len(times) < boardReads; i++ {
		took, counts, err := read(i)
		switch {
		case err != nil:
			return 0, err
		case counts:
			times = append(times, took)
		case i > 2*boardReads:
			return 0, errors.New("the cache of boards does not do what is measured")
		}
	}
	slices.Sort(times)
	return times[boardReads/2], nil
}

func printCrowd(out io.Writer, alone, crowded boardTime) (bool, error) {
	_, _ = fmt.Fprintf(out, "\nA board of %d tasks in %d homes, %d KiB; median of %d reads one after the other, through the local gateway\n\n",
		ownHomes*tasksAHome, ownHomes, alone.bytes>>10, boardReads)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "board\tp50\ttarget\tamong 1,000,000\ttimes\ttarget\t\t")
	met := true
	for _, row := range []struct {
		name                   string
		alone, crowded, target time.Duration
	}{
		{"from the cache", alone.warm, crowded.warm, warmBoard},
		{"without it", alone.cold, crowded.cold, coldBoard},
	} {
		factor := float64(row.crowded) / float64(row.alone)
		ok := row.alone <= row.target && factor <= crowdFactor
		met = met && ok
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%.2f\t%.2f\t%s\t\n", row.name, report.MS(row.alone), report.MS(row.target), report.MS(row.crowded), factor, crowdFactor, report.Verdict(ok))
	}
	return met, table.Flush()
}
