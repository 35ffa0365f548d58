package world

import (
	"context"
	"fmt"
)

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

// Settle makes a home for each of these people, with so many tasks and an entry of history for one in every so many.
func (w *World) Settle(ctx context.Context, people []int64, tasks, every int) error {
	if _, err := w.DB.Exec(ctx, insertHomes, people, tasks, every); err != nil {
		return fmt.Errorf("insert homes: %w", err)
	}
	return nil
}

// Crowd has so many people come, 1,000 at a time, each with a home of so many tasks, and does what PostgreSQL does by itself some time
// after so many rows. It returns who came.
func (w *World) Crowd(ctx context.Context, n, tasks int) (all []int64, err error) {
	const atOnce, every = 1_000, 5
	// Looking up every foreign key would take most of the time.
	if _, err := w.DB.Exec(ctx, `SET session_replication_role = replica`); err != nil {
		return nil, fmt.Errorf("trust what is inserted: %w", err)
	}
	for len(all) < n {
		came, err := w.People(ctx, min(atOnce, n-len(all)))
		if err != nil {
			return nil, err
		}
		if err := w.Settle(ctx, came, tasks, every); err != nil {
			return nil, err
		}
		all = append(all, came...)
	}
	if _, err := w.DB.Exec(ctx, `SET session_replication_role = origin`); err != nil {
		return nil, fmt.Errorf("trust no more: %w", err)
	}
	return all, w.Rest(ctx)
}

// Rest tidies the tables and has everything written to the disk, so that neither happens while something is measured.
func (w *World) Rest(ctx context.Context) error {
	for _, statement := range []string{"VACUUM ANALYZE", "CHECKPOINT"} {
		if _, err := w.DB.Exec(ctx, statement); err != nil {
			return fmt.Errorf("tidy tables: %w", err)
		}
	}
	return nil
}
