package functiontest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// crowd fills the tables that grow with people with what a great many of them own. $1 is how many homes, tasks, entries and contractors
// there are; what lives only for a while is fewer.
var crowd = []string{
	`INSERT INTO auth_user (email, first_name) SELECT 'crowd' || g || '@example.com', 'Crowd' FROM generate_series(1, $1::int) g`,
	`INSERT INTO auth_session (user_id, token_hash, expires_at) SELECT g, sha256(('crowd' || g)::bytea), now() + interval '90 days' FROM generate_series(1, $1::int) g`,
	`INSERT INTO auth_device (user_id, session_id, platform, token) SELECT g, g, 'ios', 'crowd' || g FROM generate_series(1, $1::int) g`,
	`INSERT INTO auth_code (user_id, purpose, nonce, expires_at) SELECT g, 'verify_email', '\x00', now() FROM generate_series(1, $1::int / 10) g`,
	`INSERT INTO auth_email_change (user_id, old_email) SELECT g, 'before' || g || '@example.com' FROM generate_series(1, $1::int / 10) g`,
	`INSERT INTO residence_residence (name, created_by_id) SELECT 'Home ' || g, g FROM generate_series(1, $1::int) g`,
	`INSERT INTO residence_member (residence_id, user_id, role) SELECT g, g, 'owner' FROM generate_series(1, $1::int) g`,
	`INSERT INTO residence_member (residence_id, user_id, role) SELECT g, 1 + g % $1, 'member' FROM generate_series(1, $1::int) g`,
	`INSERT INTO residence_share_code (residence_id, code_hash, created_by_id, expires_at)
	 SELECT g, sha256(('code' || g)::bytea), g, now() + interval '1 day' FROM generate_series(1, $1::int / 10) g`,
	`INSERT INTO residence_contractor (residence_id, name, is_favorite, created_by_id)
	 SELECT 1 + g % ($1 / 5), 'Contractor ' || g, g % 4 = 0, 1 + g % ($1 / 5) FROM generate_series(1, $1::int) g`,
	`INSERT INTO residence_contractor_specialty (contractor_id, specialty_id) SELECT g, 1 + g % 16 FROM generate_series(1, $1::int) g`,
	`INSERT INTO task_task (residence_id, title, description, category_id, frequency_id, due_on, next_due_on, assigned_to_id, contractor_id,
	     is_cancelled, is_archived, completion_count, last_completed_on, created_by_id, template_id)
	 SELECT 1 + g % ($1 / 10), 'Task ' || g, 'Described', 1 + g % 13, 1 + g % 8, day, CASE WHEN g % 3 > 0 THEN day END,
	     CASE WHEN g % 2 = 0 THEN 1 + g % ($1 / 10) END, CASE WHEN g % 5 = 0 THEN 1 + g % $1 END, g % 50 = 0, g % 49 = 0,
	     CASE WHEN g <= $1 / 2 THEN 2 ELSE 0 END, CASE WHEN g <= $1 / 2 THEN day END, 1 + g % ($1 / 10), CASE WHEN g % 4 = 0 THEN 101 + g % 5 END
	 FROM generate_series(1, $1::int) g, LATERAL (SELECT date '2026-06-01' + g % 365 AS day) d`,
	`INSERT INTO task_taskcompletion (task_id, completed_by_id, completed_on, occurrence_on, before_in_progress, unassigned_id)
	 SELECT 1 + g % ($1 / 2), 1 + g % ($1 / 10), date '2026-01-01' + g % 300, date '2026-01-01' + g % 300, false, CASE WHEN g % 50 = 0 THEN 1 + g % $1 END
	 FROM generate_series(1, $1::int) g`,
	`INSERT INTO upload_document (residence_id, title, document_type, task_id, contractor_id, warranty_expires_on, created_by_id)
	 SELECT 1 + g % ($1 / 10), 'Paper ' || g, 'warranty', CASE WHEN g % 3 = 0 THEN g END, CASE WHEN g % 5 = 0 THEN g END,
	     CASE WHEN g % 2 = 0 THEN date '2026-06-01' + g % 1000 END, 1 + g % ($1 / 10) FROM generate_series(1, $1::int) g`,
	`INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, state, created_at, expires_at)
	 SELECT 1 + g % ($1 / 10), 'completion_image', 'image/jpeg', 1000, 0, 'uploads/crowd' || g, CASE WHEN g % 10 = 0 THEN 'pending' ELSE 'attached' END, day, day
	 FROM generate_series(1, $1::int) g, LATERAL (SELECT now() - g * interval '1 minute' AS day) d`,
	`INSERT INTO upload_media (id, residence_id, completion_id, document_id, created_by_id, content_type, object_key, state)
	 SELECT g, 1 + g % ($1 / 10), CASE WHEN g % 2 = 0 THEN g END, CASE WHEN g % 4 = 1 THEN g END, 1 + g % ($1 / 10), 'image/jpeg', 'media/crowd' || g, 'ready'
	 FROM generate_series(1, $1::int) g WHERE g % 10 > 0`,
	`INSERT INTO upload_tombstone (object_key) SELECT 'media/gone' || g FROM generate_series(1, $1::int / 10) g`,
	`INSERT INTO outbox_event (id, type, source, subject, time, data)
	 SELECT lpad(to_hex(g), 32, '0')::uuid, 'com.myhoneydue.task.completed.v1', '/functions/tasks', 'tasks/' || g, now(), '{}' FROM generate_series(1, $1::int / 10) g`,
	`INSERT INTO outbox_delivery (event_id, consumer, state, next_at) SELECT id, 'notifications', 'done', now() FROM outbox_event LIMIT $1`,
	`INSERT INTO notification_message (event_id, user_id, channel, type, refs, state, expires_at)
	 SELECT id, row_number() OVER (), 'email', 'task_completed', '{}', 'sent', now() FROM outbox_event LIMIT $1`,
	`INSERT INTO notification_message (user_id, channel, type, refs, subject_id, occurrence_on, stage, state, expires_at, read_at)
	 SELECT 1 + g % ($1 / 10), 'app', 'task_due_soon', '{}', g, date '2026-06-01' + g % 365, 3, 'sent', now(), CASE WHEN g % 4 > 0 THEN now() END
	 FROM generate_series(1, $1::int) g`,
	`INSERT INTO shared_idempotency (key_hash, body_hash, status, answer, user_id)
	 SELECT sha256(g::text::bytea), '\x00', 201, '{}', g FROM generate_series(1, $1::int / 10) g`,
	`INSERT INTO shared_limit (key_hash, hits, granted, expires_at) SELECT sha256(g::text::bytea), ARRAY[now()], true, now() FROM generate_series(1, $1::int / 10) g`,
	`INSERT INTO admin_account (email, role) SELECT 'operator' || g || '@example.com', CASE WHEN g % 4 = 0 THEN 'admin' ELSE 'support' END
	 FROM generate_series(1, least($1::int, 20)) g`,
	`INSERT INTO admin_audit (at, account_id, act, subject, before, after, address)
	 SELECT now() - ($1 - g) * interval '1 minute', 1 + g % 20, 'disable', 'people/' || g % ($1 / 10), '{"disabled": false}',
	     '{"disabled": true}', '192.0.2.1' FROM generate_series(1, $1::int) g`,
}

// lists are the tables that do not grow with people.
var lists = []string{
	"admin_account", "admin_recovery_code", "admin_session", "goose_db_version", "notification_schedule", "shared_schedule", "task_category",
	"task_frequency", "task_priority", "task_specialty", "task_template", "upload_sweep",
}

// people is how many the crowd is.
const people = 200_000

// Crowd fills an empty database with what 200,000 people own.
func (s *Server) Crowd(t testing.TB) {
	t.Helper()
	tx, err := s.Owner.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	// Looking up every foreign key would take most of the time.
	_, err = tx.Exec(t.Context(), `SET LOCAL session_replication_role = replica`)
	require.NoError(t, err)
	for _, sql := range crowd {
		_, err := tx.Exec(t.Context(), sql, people)
		require.NoError(t, err, sql)
	}
	require.NoError(t, tx.Commit(t.Context()))
}
