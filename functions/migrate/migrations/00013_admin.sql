-- The operators: who they are, what they did, and what they see. Owned by admin.
-- +goose Up
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Whose account is disabled has no session and gets none. Owned by auth, as all of auth_user.
ALTER TABLE auth_user ADD COLUMN disabled_at timestamptz;

-- An operator signs in with a password and a code of TOTP. Until they have set both, enrolment_hash is that of the link which lets them.
-- totp_secret is sealed; totp_step is the last step of time whose code was used: a code works once.
CREATE TABLE admin_account (
    id                    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email                 text NOT NULL,
    role                  text NOT NULL CHECK (role IN ('admin', 'support')),
    password_hash         text,
    totp_secret           bytea,
    totp_step             bigint NOT NULL DEFAULT 0,
    enrolment_hash        bytea UNIQUE,
    enrolment_expires_at  timestamptz,
    enrolled_at           timestamptz,
    disabled_at           timestamptz,
    created_at            timestamptz NOT NULL DEFAULT now(),
    CHECK ((enrolment_hash IS NULL) = (enrolment_expires_at IS NULL)),
    CHECK (enrolled_at IS NULL OR (password_hash IS NOT NULL AND totp_secret IS NOT NULL))
);
CREATE UNIQUE INDEX admin_account_email ON admin_account (lower(email));

-- Each stands in once for a code of TOTP. Only their hashes are kept.
CREATE TABLE admin_recovery_code (
    account_id bigint NOT NULL REFERENCES admin_account ON DELETE CASCADE,
    code_hash  bytea NOT NULL,
    PRIMARY KEY (account_id, code_hash)
);

-- A session of the panel is a cookie, one of the API a token: neither serves as the other.
CREATE TABLE admin_session (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES admin_account ON DELETE CASCADE,
    kind       text NOT NULL CHECK (kind IN ('panel', 'api')),
    token_hash bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX admin_session_account ON admin_session (account_id, id);
CREATE INDEX admin_session_expiry ON admin_session (expires_at);

-- What operators did: who (nobody: the command line), what, on whom (subject, such as people/7), what was before and after, and from
-- which address. It outlives everything that it names, so it holds ids of the app's people and never their names or addresses.
CREATE TABLE admin_audit (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT now(),
    account_id bigint REFERENCES admin_account ON DELETE RESTRICT,
    act        text NOT NULL,
    subject    text NOT NULL,
    before     jsonb,
    after      jsonb,
    address    text NOT NULL
);
CREATE INDEX admin_audit_subject ON admin_audit (subject, id);
CREATE INDEX admin_audit_account ON admin_audit (account_id, id);

-- The log is only ever added to, whoever asks: its owner too would have to drop these triggers first, which no function may.
-- +goose StatementBegin
CREATE FUNCTION admin_audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only ever added to' USING ERRCODE = 'insufficient_privilege';
END $$;
-- +goose StatementEnd
CREATE TRIGGER admin_audit_row BEFORE UPDATE OR DELETE ON admin_audit FOR EACH ROW EXECUTE FUNCTION admin_audit_stays();
CREATE TRIGGER admin_audit_whole BEFORE TRUNCATE ON admin_audit FOR EACH STATEMENT EXECUTE FUNCTION admin_audit_stays();

-- When each schedule's ticks came, newest first, and when one last failed. Owned by the function that the schedule wakes.
CREATE TABLE shared_schedule (
    name      text PRIMARY KEY,
    runs      timestamptz[] NOT NULL DEFAULT '{}',
    failed_at timestamptz
);
INSERT INTO shared_schedule (name) VALUES ('outbox'), ('uploads'), ('deliveries'), ('reminders'), ('digests');

-- Operators look for people and homes by any part of a name or an address, and by its characters where it has no letters of ASCII; for
-- tasks by how a title begins. States are those that lists are narrowed to. All are in the very words of the statements.
CREATE INDEX auth_user_search ON auth_user USING gin (lower(email || ' ' || first_name || ' ' || last_name) gin_trgm_ops);
CREATE INDEX residence_residence_search ON residence_residence USING gin (lower(name || ' ' || coalesce(city, '')) gin_trgm_ops);
CREATE INDEX auth_user_characters ON auth_user USING gin (string_to_array(lower(email || ' ' || first_name || ' ' || last_name), NULL));
CREATE INDEX residence_residence_characters ON residence_residence USING gin (string_to_array(lower(name || ' ' || coalesce(city, '')), NULL));
CREATE INDEX auth_user_state ON auth_user
    ((CASE WHEN disabled_at IS NOT NULL THEN 'disabled' WHEN email_verified_at IS NULL THEN 'unverified' ELSE 'active' END), id);
CREATE INDEX task_task_state ON task_task
    ((CASE WHEN is_cancelled THEN 'cancelled' WHEN is_archived THEN 'archived' WHEN next_due_on IS NULL AND completion_count > 0 THEN 'completed' WHEN in_progress THEN 'in_progress' ELSE 'open' END), id);
CREATE INDEX task_task_title ON task_task
    ((CASE WHEN is_cancelled THEN 'cancelled' WHEN is_archived THEN 'archived' WHEN next_due_on IS NULL AND completion_count > 0 THEN 'completed' WHEN in_progress THEN 'in_progress' ELSE 'open' END), (lower(title) COLLATE "C"), id);
CREATE INDEX upload_media_state ON upload_media (state, id);
CREATE INDEX notification_message_waiting ON notification_message (id) WHERE state IN ('pending', 'sending');
-- How much happened on a day is counted over what was written one after another, for which a few pages of index do.
CREATE INDEX auth_user_created ON auth_user USING brin (created_at);
CREATE INDEX residence_residence_created ON residence_residence USING brin (created_at);
CREATE INDEX task_taskcompletion_created ON task_taskcompletion USING brin (created_at);
CREATE INDEX notification_message_created ON notification_message USING brin (created_at);
CREATE INDEX outbox_delivery_dead ON outbox_delivery (event_id, consumer) WHERE state = 'dead';
CREATE INDEX outbox_delivery_waiting ON outbox_delivery (event_id, consumer) WHERE state = 'pending';
CREATE INDEX pending_uploads_newest ON pending_uploads (state, id);

-- admin
GRANT USAGE ON SCHEMA public TO honeydue_admin;
GRANT SELECT ON goose_db_version TO honeydue_admin;
GRANT SELECT, INSERT, UPDATE ON admin_account TO honeydue_admin;
GRANT SELECT, INSERT, DELETE ON admin_recovery_code, admin_session TO honeydue_admin;
GRANT SELECT, INSERT (account_id, act, subject, before, after, address) ON admin_audit TO honeydue_admin;
GRANT SELECT, INSERT, UPDATE ON shared_limit TO honeydue_admin;
GRANT SELECT ON shared_schedule TO honeydue_admin;
-- It appends events, and has dead deliveries come again.
GRANT SELECT ON outbox_event, outbox_delivery TO honeydue_admin;
GRANT INSERT ON outbox_event, outbox_delivery TO honeydue_admin;
GRANT UPDATE (state, attempts, publications, next_at, reason, done_at) ON outbox_delivery TO honeydue_admin;
-- It reads what people have, but no password, token, code, nor the place of a file.
GRANT SELECT (id, email, first_name, last_name, email_verified_at, time_zone, locale, currency, created_at, updated_at, disabled_at) ON auth_user TO honeydue_admin;
GRANT UPDATE (email_verified_at, disabled_at, updated_at) ON auth_user TO honeydue_admin;
-- The hash of a token is what the cache forgets it by.
GRANT SELECT, DELETE ON auth_session TO honeydue_admin;
GRANT SELECT (id, user_id, session_id, platform, name, app_version, created_at, registered_at) ON auth_device TO honeydue_admin;
-- A code for a new password; what it is made of is not read again.
GRANT SELECT (id, user_id, purpose, expires_at, used_at), UPDATE (expires_at) ON auth_code TO honeydue_admin;
GRANT INSERT (user_id, purpose, nonce, new_email, expires_at) ON auth_code TO honeydue_admin;
GRANT SELECT ON residence_residence, residence_member, residence_contractor, residence_contractor_specialty TO honeydue_admin;
GRANT UPDATE (updated_at) ON residence_residence TO honeydue_admin;
GRANT UPDATE (role) ON residence_member TO honeydue_admin;
GRANT SELECT (residence_id, created_by_id, created_at, expires_at) ON residence_share_code TO honeydue_admin;
GRANT SELECT ON task_task, task_taskcompletion, task_category, task_priority, task_frequency, task_specialty, task_template TO honeydue_admin;
GRANT SELECT (id, user_id, category, content_type, content_length, state, created_at, expires_at) ON pending_uploads TO honeydue_admin;
GRANT SELECT (id, residence_id, completion_id, document_id, created_by_id, content_type, state, reason, has_thumbnail, created_at) ON upload_media TO honeydue_admin;
GRANT SELECT ON upload_document TO honeydue_admin;
GRANT SELECT (due_at) ON upload_tombstone TO honeydue_admin;
GRANT SELECT ON notification_message, notification_schedule TO honeydue_admin;
GRANT UPDATE (state, attempts, next_at, lease_until, last_error, expires_at) ON notification_message TO honeydue_admin;

-- auth
GRANT UPDATE (state, attempts, reason, done_at) ON outbox_delivery TO honeydue_auth;
GRANT SELECT ON outbox_event, outbox_delivery TO honeydue_auth;

-- notifications
GRANT SELECT (disabled_at) ON auth_user TO honeydue_notifications;
GRANT SELECT, UPDATE ON shared_schedule TO honeydue_notifications;

-- sweeper
GRANT SELECT, UPDATE ON shared_schedule TO honeydue_sweeper;
GRANT SELECT (id, expires_at), DELETE ON admin_session TO honeydue_sweeper;
