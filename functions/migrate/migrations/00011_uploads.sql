-- What people send: photos, papers, and what is written about papers. Owned by uploads.
-- +goose Up
-- Something that is sent, or may be until expires_at, to object_key. slack is by how many bytes its length may differ.
CREATE TABLE pending_uploads (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id        bigint NOT NULL REFERENCES auth_user ON DELETE CASCADE,
    category       text NOT NULL CHECK (category IN ('completion_image', 'document_image', 'document_file', 'residence_image')),
    content_type   text NOT NULL,
    content_length bigint NOT NULL CHECK (content_length BETWEEN 1 AND 10485760),
    slack          integer NOT NULL CHECK (slack >= 0),
    filename       text,
    object_key     text NOT NULL UNIQUE,
    state          text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'attached', 'expired', 'given_up')),
    created_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL
);
CREATE INDEX pending_uploads_person ON pending_uploads (user_id, created_at);
CREATE INDEX pending_uploads_due ON pending_uploads (expires_at) WHERE state = 'pending';
CREATE INDEX pending_uploads_over ON pending_uploads (created_at) WHERE state IN ('expired', 'given_up');

-- A task of another home is none, so the pair is what others refer to. The index that this one replaces goes with a later
-- migration: readers would wait for the lock that dropping takes.
CREATE UNIQUE INDEX task_task_residence_id ON task_task (residence_id, id);

CREATE TABLE upload_document (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    residence_id        bigint NOT NULL REFERENCES residence_residence ON DELETE CASCADE,
    title               text NOT NULL,
    document_type       text NOT NULL,
    description         text,
    task_id             bigint,
    contractor_id       bigint,
    vendor              text,
    serial_number       text,
    model_number        text,
    purchase_date       date,
    purchase_price      numeric(12,2),
    warranty_expires_on date,
    created_by_id       bigint REFERENCES auth_user ON DELETE SET NULL,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT upload_document_task_id_fkey FOREIGN KEY (residence_id, task_id)
        REFERENCES task_task (residence_id, id) ON DELETE SET NULL (task_id),
    CONSTRAINT upload_document_contractor_id_fkey FOREIGN KEY (residence_id, contractor_id)
        REFERENCES residence_contractor (residence_id, id) ON DELETE SET NULL (contractor_id)
);
CREATE INDEX upload_document_residence ON upload_document (residence_id, id);
CREATE INDEX upload_document_warranty ON upload_document (residence_id, warranty_expires_on) WHERE warranty_expires_on IS NOT NULL;
CREATE INDEX upload_document_task ON upload_document (residence_id, task_id) WHERE task_id IS NOT NULL;
CREATE INDEX upload_document_contractor ON upload_document (residence_id, contractor_id) WHERE contractor_id IS NOT NULL;
CREATE INDEX upload_document_creator ON upload_document (created_by_id);

-- A photo or paper of a home, under the id of its upload: of a completion, of a document, or else of the home itself. Its
-- objects are object_key with /original, /clean or /thumb behind it. Until it is ready nothing of it is served; a paper is at once.
CREATE TABLE upload_media (
    id            bigint PRIMARY KEY,
    residence_id  bigint NOT NULL REFERENCES residence_residence ON DELETE CASCADE,
    completion_id bigint REFERENCES task_taskcompletion ON DELETE CASCADE,
    document_id   bigint REFERENCES upload_document ON DELETE CASCADE,
    created_by_id bigint REFERENCES auth_user ON DELETE SET NULL,
    content_type  text NOT NULL,
    filename      text,
    object_key    text NOT NULL UNIQUE,
    state         text NOT NULL CHECK (state IN ('cleaning', 'ready', 'failed')),
    reason        text,
    has_thumbnail boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(completion_id, document_id) < 2)
);
CREATE INDEX upload_media_residence ON upload_media (residence_id, id);
CREATE INDEX upload_media_home ON upload_media (residence_id, id) WHERE completion_id IS NULL AND document_id IS NULL;
CREATE INDEX upload_media_completion ON upload_media (completion_id, id) WHERE completion_id IS NOT NULL;
CREATE INDEX upload_media_document ON upload_media (document_id, id) WHERE document_id IS NOT NULL;
CREATE INDEX upload_media_creator ON upload_media (created_by_id);

-- An object that nothing refers to any more. The sweeper deletes it once due_at has come, and moves due_at on while it does.
CREATE TABLE upload_tombstone (
    object_key text PRIMARY KEY,
    due_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX upload_tombstone_due ON upload_tombstone (due_at);

-- How far the look through the bucket for objects without a row has come.
CREATE TABLE upload_sweep (
    prefix    text PRIMARY KEY,
    after_key text NOT NULL DEFAULT ''
);
INSERT INTO upload_sweep (prefix) VALUES ('media/'), ('uploads/');

-- Whoever ends or deletes a row, by whatever cascade, leaves tombstones for its objects: as the owner of the schema, so that
-- no role needs the right to write any. What was sent goes when no signed address can send it again.
-- +goose StatementBegin
CREATE FUNCTION upload_bury_pending() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO upload_tombstone (object_key, due_at) VALUES (OLD.object_key, greatest(now(), OLD.expires_at + interval '1 minute'))
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER pending_uploads_ended AFTER UPDATE OF state ON pending_uploads
    FOR EACH ROW WHEN (OLD.state = 'pending' AND NEW.state <> 'pending') EXECUTE FUNCTION upload_bury_pending();
CREATE TRIGGER pending_uploads_deleted AFTER DELETE ON pending_uploads
    FOR EACH ROW WHEN (OLD.state = 'pending') EXECUTE FUNCTION upload_bury_pending();

-- A cleaned photo loses its original. One that cannot be cleaned loses it in a week: whoever finds that the fault was ours has time
-- to clean it after all. What was attached and is gone counts as given up.
-- +goose StatementBegin
CREATE FUNCTION upload_bury_media() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO upload_tombstone (object_key, due_at)
    SELECT OLD.object_key || part, now() + CASE WHEN TG_OP = 'UPDATE' AND NEW.state = 'failed' AND part = '/original' THEN interval '7 days' ELSE interval '0' END
    FROM unnest(TG_ARGV[0]::text[]) AS part
    ON CONFLICT (object_key) DO UPDATE SET due_at = least(upload_tombstone.due_at, excluded.due_at);
    IF TG_OP = 'DELETE' THEN
        UPDATE pending_uploads SET state = 'given_up', filename = NULL WHERE id = OLD.id AND state = 'attached';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER upload_media_cleaned AFTER UPDATE OF state ON upload_media
    FOR EACH ROW WHEN (OLD.state = 'cleaning' AND NEW.state = 'ready') EXECUTE FUNCTION upload_bury_media('{/original}');
CREATE TRIGGER upload_media_failed AFTER UPDATE OF state ON upload_media
    FOR EACH ROW WHEN (OLD.state <> 'failed' AND NEW.state = 'failed') EXECUTE FUNCTION upload_bury_media('{/original,/clean,/thumb}');
-- What is put back to be cleaned after all loses its tombstones.
-- +goose StatementBegin
CREATE FUNCTION upload_unbury_media() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM upload_tombstone WHERE object_key IN (OLD.object_key || '/original', OLD.object_key || '/clean', OLD.object_key || '/thumb');
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER upload_media_retried AFTER UPDATE OF state ON upload_media
    FOR EACH ROW WHEN (OLD.state = 'failed' AND NEW.state = 'cleaning') EXECUTE FUNCTION upload_unbury_media();
CREATE TRIGGER upload_media_deleted AFTER DELETE ON upload_media
    FOR EACH ROW EXECUTE FUNCTION upload_bury_media('{/original,/clean,/thumb}');
-- What runs as the owner is nobody's to attach to a table of their own.
REVOKE EXECUTE ON FUNCTION upload_bury_pending(), upload_bury_media(), upload_unbury_media() FROM PUBLIC;

GRANT USAGE ON SCHEMA public TO honeydue_uploads, honeydue_media;
GRANT SELECT ON goose_db_version TO honeydue_uploads, honeydue_media;

-- uploads
GRANT SELECT, INSERT, UPDATE (state) ON pending_uploads TO honeydue_uploads;
GRANT SELECT, INSERT, UPDATE, DELETE ON upload_document TO honeydue_uploads;
GRANT SELECT, INSERT, DELETE ON upload_media TO honeydue_uploads;
GRANT INSERT ON outbox_event, outbox_delivery TO honeydue_uploads;
GRANT SELECT (event_id, state, publications) ON outbox_delivery TO honeydue_uploads;
GRANT UPDATE (publications, next_at) ON outbox_delivery TO honeydue_uploads;
GRANT SELECT, INSERT, UPDATE ON shared_idempotency TO honeydue_uploads;
GRANT SELECT (id, user_id, token_hash, last_used_at, expires_at) ON auth_session TO honeydue_uploads;
GRANT UPDATE (last_used_at, expires_at) ON auth_session TO honeydue_uploads;
GRANT SELECT (id, time_zone) ON auth_user TO honeydue_uploads;
GRANT SELECT ON residence_member TO honeydue_uploads;
GRANT SELECT (id) ON residence_residence TO honeydue_uploads;
GRANT UPDATE (updated_at) ON residence_residence TO honeydue_uploads;

-- Attaching to completions and homes.
GRANT SELECT, UPDATE (state) ON pending_uploads TO honeydue_tasks, honeydue_residences;
GRANT SELECT (id, residence_id, completion_id, document_id, content_type, state), INSERT ON upload_media TO honeydue_tasks, honeydue_residences;

-- media
GRANT SELECT (id, content_type, object_key, state), UPDATE (state, reason, has_thumbnail) ON upload_media TO honeydue_media;
GRANT SELECT ON outbox_event, outbox_delivery TO honeydue_media;
GRANT UPDATE (state, attempts, reason, done_at) ON outbox_delivery TO honeydue_media;

-- sweeper
GRANT SELECT (id, object_key, state, created_at, expires_at), UPDATE (state), DELETE ON pending_uploads TO honeydue_sweeper;
GRANT SELECT (id, object_key, state, content_type) ON upload_media TO honeydue_sweeper;
GRANT SELECT, UPDATE (due_at), DELETE ON upload_tombstone TO honeydue_sweeper;
GRANT SELECT, UPDATE (after_key) ON upload_sweep TO honeydue_sweeper;

-- All that is held of a person is handed out to them.
GRANT SELECT (id, user_id, category, content_type, content_length, filename, state, created_at, expires_at) ON pending_uploads TO honeydue_auth;
GRANT SELECT (id, residence_id, completion_id, document_id, created_by_id, content_type, filename, state, created_at) ON upload_media TO honeydue_auth;
GRANT SELECT ON upload_document TO honeydue_auth;
