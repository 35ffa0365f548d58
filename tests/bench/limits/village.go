package main

import (
	"context"
	"fmt"
)

// Homes follow one another, and so do the people: two of each home, the owner first. Ids begin where nothing else has its own, so
// that they are known in what a function sends.
const (
	homes       = 400
	fewHomes    = 200 // a process of tasks holds the boards of all their owners, 256, and of no more
	tasksAHome  = 100
	firstHome   = 7_000_001
	firstPerson = 5_000_001
)

func owner(home int64) int64 { return firstPerson + 2*home }

const setIDs = `
ALTER TABLE auth_user ALTER COLUMN id RESTART WITH %d;
ALTER TABLE residence_residence ALTER COLUMN id RESTART WITH %d`

const insertHomes = `
WITH made AS (
    INSERT INTO residence_residence (name, created_by_id) SELECT 'Home', $1::bigint + 2 * n FROM generate_series(0, $2::int - 1) n RETURNING id, created_by_id
)
INSERT INTO residence_member (residence_id, user_id, role)
SELECT id, created_by_id, 'owner' FROM made UNION ALL SELECT id, created_by_id + 1, 'member' FROM made`

// Tasks have something in every field and stand in every column of the board.
const insertTasks = `
INSERT INTO task_task (residence_id, title, description, category_id, priority_id, frequency_id, due_on, next_due_on, assigned_to_id,
    estimated_cost, in_progress, last_completed_on, completion_count, created_by_id)
SELECT h.id, 'Look after thing ' || n, 'Both sides, and the joints; the ladder stands behind the shed of the neighbours.',
    1 + n % 13, 1 + n % 4, 1 + n % 8, current_date - 90 + n * 5, CASE WHEN n % 10 > 0 THEN current_date - 90 + n * 5 END,
    h.created_by_id, '129.90', n % 9 = 0, CASE WHEN n % 10 = 0 THEN current_date - n END, CASE WHEN n % 10 = 0 THEN 1 ELSE 0 END, h.created_by_id
FROM residence_residence h CROSS JOIN generate_series(1, $1::int) n`

// settle makes the homes, their people and their tasks.
func (b *bench) settle(ctx context.Context) error {
	if _, err := b.DB.Exec(ctx, fmt.Sprintf(setIDs, firstPerson, firstHome)); err != nil {
		return fmt.Errorf("set first ids: %w", err)
	}
	if _, err := b.People(ctx, 2*homes); err != nil {
		return err
	}
	if _, err := b.DB.Exec(ctx, insertHomes, firstPerson, homes); err != nil {
		return fmt.Errorf("insert homes: %w", err)
	}
	if _, err := b.DB.Exec(ctx, insertTasks, tasksAHome); err != nil {
		return fmt.Errorf("insert tasks: %w", err)
	}
	if _, err := b.DB.Exec(ctx, "VACUUM ANALYZE"); err != nil {
		return fmt.Errorf("tidy tables: %w", err)
	}
	var right bool
	const check = `SELECT bool_and(user_id = $1::bigint + 2 * (residence_id - $2::bigint)) AND count(*) = $3::int FROM residence_member WHERE role = 'owner'`
	if err := b.DB.QueryRow(ctx, check, firstPerson, firstHome, homes).Scan(&right); err != nil || !right {
		return fmt.Errorf("homes have other owners than they should: %w", err)
	}
	return nil
}
