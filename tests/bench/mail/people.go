package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Everybody has a home of their own with one task that is due today, and is to be reminded of it at this hour. Every second one
// has a phone that gets pushes.
const (
	insertPeople = `
INSERT INTO auth_user (email, first_name, last_name, email_verified_at, time_zone, task_due_soon_hour, created_at)
SELECT 'person' || n || '@example.com', 'Ben', 'Ruiz', now(), 'UTC', $2::int, now() - interval '1 day' FROM generate_series(1, $1::int) n`

	insertHomes = `
INSERT INTO residence_residence (name, created_by_id) SELECT 'Lake house', id FROM auth_user`

	insertMembers = `
INSERT INTO residence_member (residence_id, user_id, role) SELECT id, created_by_id, 'owner' FROM residence_residence`

	insertTasks = `
INSERT INTO task_task (residence_id, title, due_on, next_due_on, created_by_id)
SELECT id, 'Clean the gutters', $1::date, $1::date, created_by_id FROM residence_residence`

	insertSessions = `
INSERT INTO auth_session (user_id, token_hash, expires_at)
SELECT id, sha256(('hd_' || id)::bytea), now() + interval '90 days' FROM auth_user WHERE id % 2 = 0`

	insertDevices = `
INSERT INTO auth_device (user_id, session_id, platform, token)
SELECT user_id, id, CASE WHEN user_id % 4 = 0 THEN 'ios' ELSE 'android' END, encode(sha256(('device ' || id)::bytea), 'hex') FROM auth_session`

	// The slot of this hour has passed; those before it are done.
	setSchedule = `UPDATE notification_schedule SET planned_until = $1::timestamptz WHERE name = 'reminders'`
)

// fillReminders makes so many people who are due a reminder of this hour.
func fillReminders(ctx context.Context, db *pgx.Conn, people int) error {
	slot := time.Now().UTC().Truncate(time.Hour)
	for _, step := range []struct {
		what, sql string
		args      []any
	}{
		{"people", insertPeople, []any{people, slot.Hour()}},
		{"homes", insertHomes, nil},
		{"members", insertMembers, nil},
		{"tasks", insertTasks, []any{slot}},
		{"sessions", insertSessions, nil},
		{"devices", insertDevices, nil},
		{"schedule", setSchedule, []any{slot.Add(-time.Minute)}},
		// As autovacuum does in time.
		{"statistics", "ANALYZE", nil},
	} {
		if _, err := db.Exec(ctx, step.sql, step.args...); err != nil {
			return fmt.Errorf("make %s: %w", step.what, err)
		}
	}
	return nil
}
