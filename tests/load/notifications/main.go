// Command notifications loads function notifications with what happens in homes: somebody moves in, is given a task and completes it.
// Every event comes once or a few times, and everybody must get one mail and, on their phone, one push of each.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/tests/load"
)

func main() {
	n := &news{}
	load.Main(load.Test{Function: "notifications", Inside: true, Rate: 80, P99: 80 * time.Millisecond, Mix: n.mix, Settle: n.settle})
}

// news is what was told.
type news struct{ stream *load.Stream }

func (n *news) mix(ctx context.Context, at *load.Site) (next func() load.Call, err error) {
	n.stream, err = at.Stream(func() ([]events.Event, error) { return happen(ctx, at.DB) })
	if err != nil {
		return nil, err
	}
	return load.Mixed(
		load.Share{Weight: 197, Call: n.stream.Next},
		// A tick that finds nobody's hour and nothing left is what most of them are.
		load.Share{Weight: 1, Call: func() load.Call { return at.Tick("deliveries") }},
		load.Share{Weight: 1, Call: func() load.Call { return at.Tick("reminders") }},
		load.Share{Weight: 1, Call: func() load.Call { return at.Tick("digests") }},
	), nil
}

// homesAtOnce is how many homes are made with one statement.
const homesAtOnce = 100

// Everybody has proved their address, and every second member has a phone that gets pushes.
const insertHomes = `
WITH name AS (
    SELECT gen_random_uuid()::text AS name FROM generate_series(1, $1::int)
), owner AS (
    INSERT INTO auth_user (email, first_name, last_name, email_verified_at) SELECT name || '.owner@example.com', 'Olive', 'Olsen', now() FROM name
    RETURNING id, split_part(email, '.', 1) AS name
), member AS (
    INSERT INTO auth_user (email, first_name, last_name, email_verified_at) SELECT name || '.member@example.com', 'Max', 'Ruiz', now() FROM name
    RETURNING id, split_part(email, '.', 1) AS name
), session AS (
    INSERT INTO auth_session (user_id, token_hash, expires_at) SELECT id, sha256(name::bytea), now() + interval '90 days' FROM member WHERE name < '8'
    RETURNING id, user_id
), device AS (
    INSERT INTO auth_device (user_id, session_id, platform, token)
    SELECT user_id, id, CASE WHEN id % 2 = 0 THEN 'ios' ELSE 'android' END, encode(sha256(('device ' || id)::bytea), 'hex') FROM session
), home AS (
    INSERT INTO residence_residence (name, created_by_id) SELECT 'Lake house', id FROM owner RETURNING id, created_by_id AS owner_id
), pair AS (
    SELECT home.id AS home_id, owner_id, member.id AS member_id FROM home JOIN owner ON owner.id = owner_id JOIN member USING (name)
), people AS (
    INSERT INTO residence_member (residence_id, user_id, role)
    SELECT home_id, owner_id, 'owner' FROM pair UNION ALL SELECT home_id, member_id, 'member' FROM pair
), task AS (
    INSERT INTO task_task (residence_id, title, due_on, next_due_on, assigned_to_id, created_by_id)
    SELECT home_id, 'Clean the gutters', current_date + 40, current_date + 40, member_id, owner_id FROM pair
    RETURNING id, residence_id, assigned_to_id
), done AS (
    INSERT INTO task_taskcompletion (task_id, completed_by_id, completed_on, notes, before_in_progress)
    SELECT id, assigned_to_id, current_date, 'Both sides, and the downpipe', false FROM task RETURNING id, task_id
)
SELECT home_id, owner_id, member_id, task.id AS task_id, done.id AS completion_id
FROM pair JOIN task ON task.residence_id = home_id JOIN done ON done.task_id = task.id`

// A home is one in which something happened.
type home struct{ HomeID, OwnerID, MemberID, TaskID, CompletionID int64 }

// happen makes homes with all that happened there, and returns the events of it. Of each of them one person hears.
func happen(ctx context.Context, db *pgx.Conn) ([]events.Event, error) {
	rows, err := db.Query(ctx, insertHomes, homesAtOnce)
	if err != nil {
		return nil, fmt.Errorf("insert homes: %w", err)
	}
	homes, err := pgx.CollectRows(rows, pgx.RowToStructByName[home])
	if err != nil {
		return nil, fmt.Errorf("insert homes: %w", err)
	}
	var told []events.Event
	for _, h := range homes {
		for _, fact := range []struct {
			source string
			data   events.Data
		}{
			{"residences", events.MemberJoined{ResidenceID: h.HomeID, UserID: h.MemberID}},
			{"tasks", events.TaskAssigned{TaskID: h.TaskID, ResidenceID: h.HomeID, AssigneeID: h.MemberID, ActorID: h.OwnerID}},
			{"tasks", events.TaskCompleted{TaskID: h.TaskID, CompletionID: h.CompletionID, ResidenceID: h.HomeID, ActorID: h.MemberID}},
		} {
			e, err := events.New(fact.source, fact.data, time.Now())
			if err != nil {
				return nil, fmt.Errorf("make event: %w", err)
			}
			told = append(told, e)
		}
	}
	return told, load.TellLater(ctx, db, told)
}
