-- Devices, what people want to hear and when, and messages that a date asks for. Devices and preferences are owned by auth, messages
-- and their schedules by notifications.
-- +goose Up
-- A device gets pushes for as long as the session that registered it lives: whoever signs out gets none.
CREATE TABLE auth_device (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id       bigint NOT NULL REFERENCES auth_user ON DELETE CASCADE,
    session_id    bigint NOT NULL REFERENCES auth_session ON DELETE CASCADE,
    platform      text NOT NULL CHECK (platform IN ('ios', 'android')),
    token         text NOT NULL,
    name          text,
    app_version   text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    registered_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (platform, token)
);
CREATE INDEX auth_device_person ON auth_device (user_id, id);
CREATE INDEX auth_device_session ON auth_device (session_id);

-- muted holds what is switched off, as <type>.<channel>. Hours and quiet times are by the person's own clock.
ALTER TABLE auth_user
    ADD COLUMN muted text[] NOT NULL DEFAULT '{daily_digest.push}',
    ADD COLUMN task_due_soon_hour smallint NOT NULL DEFAULT 9 CHECK (task_due_soon_hour BETWEEN 0 AND 23),
    ADD COLUMN task_overdue_hour smallint NOT NULL DEFAULT 9 CHECK (task_overdue_hour BETWEEN 0 AND 23),
    ADD COLUMN warranty_expiring_hour smallint NOT NULL DEFAULT 9 CHECK (warranty_expiring_hour BETWEEN 0 AND 23),
    ADD COLUMN daily_digest_hour smallint NOT NULL DEFAULT 8 CHECK (daily_digest_hour BETWEEN 0 AND 23),
    ADD COLUMN quiet_from time,
    ADD COLUMN quiet_to time,
    ADD CONSTRAINT auth_user_quiet CHECK ((quiet_from IS NULL) = (quiet_to IS NULL));
-- Whose hour it is. The hour comes first, so that none of these indexes can stand in for another.
CREATE INDEX auth_user_due_soon_hour ON auth_user (task_due_soon_hour, coalesce(time_zone, 'UTC'), id);
CREATE INDEX auth_user_overdue_hour ON auth_user (task_overdue_hour, coalesce(time_zone, 'UTC'), id);
CREATE INDEX auth_user_warranty_hour ON auth_user (warranty_expiring_hour, coalesce(time_zone, 'UTC'), id);
CREATE INDEX auth_user_digest_hour ON auth_user (daily_digest_hour, coalesce(time_zone, 'UTC'), id);

-- What is due in a home on a day. The index that is dropped is the first part of a unique one.
CREATE INDEX task_task_due ON task_task (residence_id, next_due_on) WHERE next_due_on IS NOT NULL AND NOT is_cancelled AND NOT is_archived;
DROP INDEX task_task_residence;

-- A message that no event asks for is one of a day: of its subject (a task, a document; the person for a digest), what of it is due
-- (occurrence_on) and how many days before that it comes (stage; less than 0: after). devices that took a push do not get it again.
-- The app's own list holds messages of the channel app, which are there as soon as they are planned.
ALTER TABLE notification_message
    ALTER COLUMN event_id DROP NOT NULL,
    DROP CONSTRAINT notification_message_channel_check,
    ADD CONSTRAINT notification_message_channel_check CHECK (channel IN ('app', 'email', 'push')),
    ADD COLUMN subject_id bigint,
    ADD COLUMN occurrence_on date,
    ADD COLUMN stage smallint,
    ADD COLUMN devices bigint[] NOT NULL DEFAULT '{}',
    ADD COLUMN claimed_at timestamptz,
    ADD COLUMN read_at timestamptz,
    ADD CONSTRAINT notification_message_cause CHECK (num_nonnulls(subject_id, occurrence_on, stage) = CASE WHEN event_id IS NULL THEN 3 ELSE 0 END);
CREATE UNIQUE INDEX notification_message_once ON notification_message (subject_id, type, occurrence_on, stage, user_id, channel) WHERE event_id IS NULL;
CREATE INDEX notification_message_app ON notification_message (user_id, id) WHERE channel = 'app';
CREATE INDEX notification_message_unread ON notification_message (user_id, id) WHERE channel = 'app' AND read_at IS NULL;
CREATE INDEX notification_message_dead ON notification_message (id) WHERE state = 'dead';

-- Until when a schedule has planned: what lies behind is planned no more. reached is where one stopped that ran out of time on its way
-- to a later instant: {until, type, day, first, last, after}.
CREATE TABLE notification_schedule (
    id            bigint PRIMARY KEY,
    name          text NOT NULL UNIQUE,
    planned_until timestamptz NOT NULL DEFAULT now(),
    reached       jsonb
);
INSERT INTO notification_schedule (id, name) VALUES (1, 'deliveries'), (2, 'reminders'), (3, 'digests');

-- auth
GRANT SELECT, INSERT, UPDATE, DELETE ON auth_device TO honeydue_auth;
GRANT SELECT (refs, subject_id, occurrence_on, stage, read_at), UPDATE (read_at) ON notification_message TO honeydue_auth;

-- notifications
GRANT SELECT (created_at, email_verified_at, muted, task_due_soon_hour, task_overdue_hour, warranty_expiring_hour, daily_digest_hour, quiet_from, quiet_to)
    ON auth_user TO honeydue_notifications;
GRANT SELECT (id, user_id, session_id, platform, token, registered_at), DELETE ON auth_device TO honeydue_notifications;
GRANT SELECT (id, expires_at) ON auth_session TO honeydue_notifications;
GRANT SELECT (due_on, frequency_id, recurrence, in_progress, completion_count) ON task_task TO honeydue_notifications;
GRANT SELECT ON task_frequency TO honeydue_notifications;
GRANT SELECT (id, residence_id, title, warranty_expires_on) ON upload_document TO honeydue_notifications;
GRANT SELECT, UPDATE (planned_until, reached) ON notification_schedule TO honeydue_notifications;
GRANT INSERT ON outbox_event, outbox_delivery TO honeydue_notifications;
GRANT UPDATE (publications, next_at) ON outbox_delivery TO honeydue_notifications;

-- tasks
GRANT SELECT (task_due_soon_hour, task_overdue_hour) ON auth_user TO honeydue_tasks;
