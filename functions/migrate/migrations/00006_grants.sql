-- What each function's role may read and touch. The roles are made by migrate before this runs.
-- +goose Up
GRANT USAGE ON SCHEMA public TO honeydue_auth, honeydue_residences, honeydue_tasks, honeydue_notifications, honeydue_sweeper, honeydue_site;
GRANT SELECT ON goose_db_version TO honeydue_auth, honeydue_residences, honeydue_tasks, honeydue_notifications, honeydue_sweeper, honeydue_site;

-- Appending events, and noting when the next publication is due.
GRANT INSERT ON outbox_event, outbox_delivery TO honeydue_auth, honeydue_residences, honeydue_tasks;
GRANT SELECT (event_id, state, publications) ON outbox_delivery TO honeydue_auth, honeydue_residences, honeydue_tasks;
GRANT UPDATE (publications, next_at) ON outbox_delivery TO honeydue_auth, honeydue_residences, honeydue_tasks;
-- Consuming them.
GRANT SELECT ON outbox_event, outbox_delivery TO honeydue_notifications, honeydue_sweeper;
GRANT UPDATE (state, attempts, reason, done_at) ON outbox_delivery TO honeydue_notifications;
-- Relaying and removing them.
GRANT UPDATE (publications, next_at) ON outbox_delivery TO honeydue_sweeper;
GRANT DELETE ON outbox_event TO honeydue_sweeper;

GRANT SELECT, INSERT, UPDATE ON shared_idempotency TO honeydue_residences, honeydue_tasks;
GRANT SELECT (key_hash, created_at), DELETE ON shared_idempotency TO honeydue_sweeper;
GRANT SELECT (key_hash, expires_at), DELETE ON shared_limit TO honeydue_sweeper;
GRANT SELECT, INSERT, UPDATE ON shared_limit TO honeydue_auth, honeydue_residences;

-- auth
GRANT SELECT, INSERT, UPDATE, DELETE ON auth_user, auth_session, auth_code, auth_email_change TO honeydue_auth;
-- A request's token is looked up, and its session slides, wherever the request arrives.
GRANT SELECT (id, user_id, token_hash, last_used_at, expires_at) ON auth_session TO honeydue_residences, honeydue_tasks;
GRANT UPDATE (last_used_at, expires_at) ON auth_session TO honeydue_residences, honeydue_tasks;
GRANT SELECT (id, time_zone) ON auth_user TO honeydue_tasks;
GRANT SELECT (id, email, first_name, last_name, time_zone) ON auth_user TO honeydue_residences;
GRANT SELECT (id, email, first_name, last_name, time_zone) ON auth_user TO honeydue_notifications;
GRANT SELECT (id, user_id, purpose, nonce, new_email, expires_at, used_at) ON auth_code TO honeydue_notifications;
GRANT SELECT ON auth_email_change TO honeydue_notifications;
GRANT SELECT (id, expires_at) ON auth_session, auth_code TO honeydue_sweeper;
GRANT DELETE ON auth_session, auth_code TO honeydue_sweeper;
GRANT SELECT (id, changed_at), DELETE ON auth_email_change TO honeydue_sweeper;
GRANT SELECT (id, state, created_at), DELETE ON notification_message TO honeydue_sweeper;

-- residences
GRANT SELECT, INSERT, UPDATE, DELETE ON residence_residence, residence_member, residence_share_code TO honeydue_residences;
GRANT SELECT ON residence_member TO honeydue_tasks, honeydue_notifications;
GRANT SELECT (id, name) ON residence_residence TO honeydue_notifications;
GRANT SELECT (id) ON residence_residence TO honeydue_tasks;
-- Locking a home's row, so that nobody joins or leaves while what they see changes, takes the right to update it.
GRANT UPDATE (updated_at) ON residence_residence TO honeydue_tasks;

-- tasks
GRANT SELECT, INSERT, UPDATE, DELETE ON task_task, task_taskcompletion TO honeydue_tasks;
GRANT SELECT ON task_category, task_priority, task_frequency, task_specialty TO honeydue_tasks;
-- The summary of a home counts its tasks; who leaves a home is taken off them.
GRANT SELECT (residence_id, next_due_on, completion_count, in_progress, is_cancelled, is_archived, assigned_to_id) ON task_task TO honeydue_residences;
GRANT UPDATE (assigned_to_id, updated_at) ON task_task TO honeydue_residences;
GRANT SELECT (id, residence_id, title, next_due_on, assigned_to_id, is_cancelled, is_archived) ON task_task TO honeydue_notifications;
GRANT SELECT (id, task_id, completed_on, notes) ON task_taskcompletion TO honeydue_notifications;

-- notifications
GRANT SELECT, INSERT, UPDATE ON notification_message TO honeydue_notifications;
