-- Deleting an account, and handing out all that is held of it. Owned by auth.
-- +goose Up
-- A stored answer is the person's who got it, and goes with them; it may hold the address of a home, and goes with that one
-- too. Rows without a person are of code older than this, and older than 24 hours soon.
ALTER TABLE shared_idempotency
    ADD COLUMN user_id bigint REFERENCES auth_user ON DELETE CASCADE,
    ADD COLUMN residence_id bigint REFERENCES residence_residence ON DELETE CASCADE;
CREATE INDEX shared_idempotency_user ON shared_idempotency (user_id);
CREATE INDEX shared_idempotency_residence ON shared_idempotency (residence_id);

-- Whoever goes is looked for in every column that may name them.
CREATE INDEX residence_residence_creator ON residence_residence (created_by_id);
CREATE INDEX residence_share_code_creator ON residence_share_code (created_by_id);

-- A home passes on or ends with its owner: its row's lock comes first, as for whoever joins or leaves.
GRANT SELECT, DELETE ON residence_residence TO honeydue_auth;
GRANT UPDATE (is_primary, updated_at) ON residence_residence TO honeydue_auth;
GRANT SELECT, DELETE ON residence_member TO honeydue_auth;
GRANT UPDATE (role) ON residence_member TO honeydue_auth;
GRANT SELECT (residence_id, created_by_id, created_at, expires_at) ON residence_share_code TO honeydue_auth;
-- Tasks lose whom they were assigned to, and their history says so.
GRANT SELECT ON task_task TO honeydue_auth;
GRANT UPDATE (assigned_to_id, updated_at) ON task_task TO honeydue_auth;
GRANT SELECT ON task_taskcompletion TO honeydue_auth;
GRANT INSERT (task_id, kind, completed_on, occurrence_on, before_in_progress) ON task_taskcompletion TO honeydue_auth;
-- The rest is read to be handed out.
GRANT SELECT ON residence_contractor, residence_contractor_specialty TO honeydue_auth;
GRANT SELECT (id, user_id, channel, type, state, attempts, created_at, expires_at, sent_at) ON notification_message TO honeydue_auth;
GRANT SELECT (user_id, status, created_at) ON shared_idempotency TO honeydue_auth;
