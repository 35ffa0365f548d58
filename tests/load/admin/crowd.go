package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// How many people there are whom nobody acts on, and tasks of each in their one home.
const (
	crowdPeople = 20_000
	crowdTasks  = 5
)

// Nobody is told anything: the addresses are not proved, and what is due lies further ahead than any reminder.
const insertCrowd = `
WITH person AS (
    INSERT INTO auth_user (email, first_name, last_name, created_at)
    SELECT lower(name) || '.' || g || '@example.org', name, 'Heron ' || left(md5(g::text), 6), now() - ($1::int - g) * interval '10 minutes'
    FROM generate_series(1, $1::int) g, LATERAL (SELECT ('{Ann,Bob,Carla,Dmitri,Elif,Farid,Grete,Hanna,Ivan,Jo}'::text[])[1 + g % 10] AS name) n
    RETURNING id, created_at
), home AS (
    INSERT INTO residence_residence (name, city, created_by_id, created_at)
    SELECT 'House ' || left(md5(id::text), 6), ('{Austin,Berlin,Nuremberg,Paris,Rome}'::text[])[1 + id % 5], id, created_at FROM person
    RETURNING id, created_by_id, created_at
), member AS (
    INSERT INTO residence_member (residence_id, user_id, role) SELECT id, created_by_id, 'owner' FROM home
)
INSERT INTO task_task (residence_id, title, description, due_on, next_due_on, assigned_to_id, in_progress, completion_count, created_by_id, created_at)
SELECT home.id, ('{Clean the gutters,Change the filter,Mow the lawn,Test the alarms,Look after a thing}'::text[])[g] || ' ' || home.id,
    'Both sides, and the joints; the ladder stands behind the shed.', due, CASE WHEN (home.id + g) % 4 > 0 THEN due END,
    CASE WHEN g % 2 = 0 THEN home.created_by_id END, g = 3, ((home.id + g) % 4 = 0)::int, home.created_by_id, home.created_at
FROM home, generate_series(1, $2::int) g, LATERAL (SELECT current_date + 200 + (home.id % 150)::int AS due) d`

// crowd fills the lists.
func crowd(ctx context.Context, db *pgx.Conn) error {
	if _, err := db.Exec(ctx, insertCrowd, crowdPeople, crowdTasks); err != nil {
		return fmt.Errorf("fill lists: %w", err)
	}
	if _, err := db.Exec(ctx, `ANALYZE`); err != nil {
		return fmt.Errorf("count what fills lists: %w", err)
	}
	return nil
}
