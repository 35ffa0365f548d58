package main

import "fmt"

// How many there are: people, of whom each has a home and belongs to another; their tasks; and what they sent.
const (
	people = 100_000
	tasks  = 1_000_000
	sent   = 200_000
)

const insertOperator = `
WITH operator AS (
    INSERT INTO admin_account (email, role, password_hash, totp_secret, enrolled_at) VALUES ('olga@example.com', 'admin', 'none', '\x00', now()) RETURNING id
)
INSERT INTO admin_session (account_id, kind, token_hash, expires_at) SELECT id, 'panel', sha256(convert_to($1::text, 'UTF8')), now() + interval '12 hours' FROM operator`

// crowd are statements that fill a database. Looking up every foreign key would take most of the time. Person 1 has very much.
func crowd() []string {
	return []string{
		`SET session_replication_role = replica`,
		fmt.Sprintf(`
INSERT INTO auth_user (email, first_name, last_name, email_verified_at, disabled_at, created_at)
SELECT lower(name) || '.' || g || '@example.com', name, 'Heron ' || left(md5(g::text), 6), CASE WHEN g %% 20 > 0 THEN now() END, CASE WHEN g %% 5000 = 1 THEN now() END,
    now() - (%[1]d - g) * interval '10 minutes'
FROM generate_series(1, %[1]d) g, LATERAL (SELECT ('{Ann,Bob,Carla,Dmitri,Elif,Farid,Grete,Hanna,Ivan,Jo}'::text[])[1 + g %% 10] AS name) n`, people),
		fmt.Sprintf(`
INSERT INTO auth_session (user_id, token_hash, device_name, expires_at) SELECT g, sha256(g::text::bytea), 'Phone', now() + interval '90 days' FROM generate_series(1, %d) g`, people),
		fmt.Sprintf(`
INSERT INTO auth_device (user_id, session_id, platform, token, name) SELECT g, g, 'ios', 'token ' || g, 'Phone' FROM generate_series(1, %d) g`, people),
		fmt.Sprintf(`
INSERT INTO residence_residence (name, city, created_by_id)
SELECT 'House ' || left(md5(g::text), 6), ('{Austin,Berlin,Nuremberg,Paris,Rome}'::text[])[1 + g %% 5], g FROM generate_series(1, %d) g`, people),
		fmt.Sprintf(`INSERT INTO residence_member (residence_id, user_id, role) SELECT g, g, 'owner' FROM generate_series(1, %d) g`, people),
		fmt.Sprintf(`INSERT INTO residence_member (residence_id, user_id, role) SELECT g, 1 + g %% %[1]d, 'member' FROM generate_series(1, %[1]d) g`, people),
		fmt.Sprintf(`
INSERT INTO task_task (residence_id, title, description, due_on, next_due_on, assigned_to_id, in_progress, is_cancelled, is_archived, completion_count, created_by_id)
SELECT home, ('{Clean the gutters,Change filter,Mow lawn,Test alarms,Look after thing}'::text[])[1 + g %% 5] || CASE WHEN g %% 2 = 0 THEN '' ELSE ' ' || g END,
    'Both sides, and the joints; the ladder stands behind the shed of the neighbours.', date '2026-06-01' + g %% 365,
    CASE WHEN g %% 3 > 0 THEN date '2026-06-01' + g %% 365 END, CASE WHEN g %% 2 = 0 THEN home END, g %% 7 = 0, g %% 50 = 0, g %% 5000 = 7, (g %% 3 = 0)::int, home
FROM generate_series(1, %[1]d) g, LATERAL (SELECT CASE WHEN g %% 200 = 0 THEN 1 ELSE 1 + g %% %[2]d END AS home) h`, tasks, people),
		fmt.Sprintf(`
INSERT INTO task_taskcompletion (task_id, completed_by_id, completed_on, before_in_progress) SELECT g * 5, g, current_date, false FROM generate_series(1, %d) g`, sent),
		fmt.Sprintf(`
INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, state, expires_at)
SELECT 1 + g %% %[2]d, 'residence_image', 'image/jpeg', 400000 + g, 0, 'uploads/' || g,
    CASE WHEN g %% 10 > 2 THEN 'attached' WHEN g %% 1000 = 0 THEN 'pending' WHEN g %% 2 = 0 THEN 'expired' ELSE 'given_up' END, now() FROM generate_series(1, %[1]d) g`, sent, people),
		fmt.Sprintf(`
INSERT INTO upload_media (id, residence_id, created_by_id, content_type, object_key, state, reason)
SELECT g, 1 + g %% %[2]d, 1 + g %% %[2]d, 'image/jpeg', 'media/' || g, CASE WHEN g %% 10000 = 3 THEN 'failed' WHEN g %% 5000 = 4 THEN 'cleaning' ELSE 'ready' END,
    CASE WHEN g %% 10000 = 3 THEN 'too many pixels' END FROM generate_series(1, %[1]d) g WHERE g %% 10 > 2`, sent, people),
		fmt.Sprintf(`
INSERT INTO notification_message (user_id, channel, type, refs, subject_id, occurrence_on, stage, state, expires_at)
SELECT 1 + g %% %[2]d, 'email', 'task_due_soon', '{}', g, current_date, 3, 'sent', now() FROM generate_series(1, %[1]d) g`, sent, people),
		fmt.Sprintf(`INSERT INTO admin_audit (act, subject, address) SELECT 'disable', 'people/' || g, '192.0.2.1' FROM generate_series(1, %d) g`, people),
		`VACUUM ANALYZE`,
	}
}
