package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// An order is one mail to be sent: a task that its actor completes in a home where one other person is to hear of it. Nobody
// else gets a mail at that address.
type order struct {
	TaskID, HomeID, ActorID int64
	Address                 string
}

const insertOrders = `
WITH name AS (
    SELECT $1::text || n AS name FROM generate_series(1, $2::int) n
), actor AS (
    INSERT INTO auth_user (email, first_name, last_name, email_verified_at) SELECT name || '.actor@example.com', 'Anna', 'Olsen', now() FROM name
    RETURNING id, split_part(email, '.', 1) AS name
), member AS (
    INSERT INTO auth_user (email, first_name, last_name, email_verified_at) SELECT name || '.member@example.com', 'Ben', 'Ruiz', now() FROM name
    RETURNING id, split_part(email, '.', 1) AS name, email
), home AS (
    INSERT INTO residence_residence (name, created_by_id) SELECT 'Lake house', id FROM actor RETURNING id, created_by_id
), owner AS (
    INSERT INTO residence_member (residence_id, user_id, role) SELECT id, created_by_id, 'owner' FROM home
), joined AS (
    INSERT INTO residence_member (residence_id, user_id, role)
    SELECT home.id, member.id, 'member' FROM home JOIN actor ON actor.id = home.created_by_id JOIN member USING (name)
), task AS (
    INSERT INTO task_task (residence_id, title, due_on, next_due_on, created_by_id)
    SELECT id, 'Clean the gutters', current_date + 90, current_date + 90, created_by_id FROM home RETURNING id, residence_id, created_by_id
)
SELECT task.id AS task_id, task.residence_id AS home_id, task.created_by_id AS actor_id, member.email AS address
FROM task JOIN actor ON actor.id = task.created_by_id JOIN member USING (name)`

// orders makes so many orders, whose addresses begin with name.
func orders(ctx context.Context, db *pgx.Conn, name string, n int) ([]order, error) {
	rows, err := db.Query(ctx, insertOrders, name, n)
	if err != nil {
		return nil, fmt.Errorf("insert orders: %w", err)
	}
	made, err := pgx.CollectRows(rows, pgx.RowToStructByName[order])
	if err != nil {
		return nil, fmt.Errorf("insert orders: %w", err)
	}
	return made, nil
}
