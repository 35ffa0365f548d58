-- What every function shares: the outbox, the delivery rows, idempotency keys and limits. Owned by migrate.
-- +goose Up
CREATE TABLE outbox_event (
    id          uuid PRIMARY KEY,
    type        text NOT NULL,
    source      text NOT NULL,
    subject     text NOT NULL,
    time        timestamptz NOT NULL,
    data        jsonb NOT NULL,
    traceparent text NOT NULL DEFAULT ''
);
CREATE INDEX outbox_event_time ON outbox_event (time);

CREATE TABLE outbox_delivery (
    event_id     uuid NOT NULL REFERENCES outbox_event ON DELETE CASCADE,
    consumer     text NOT NULL,
    state        text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'dead')),
    attempts     integer NOT NULL DEFAULT 0,
    publications integer NOT NULL DEFAULT 0,
    next_at      timestamptz NOT NULL,
    reason       text,
    done_at      timestamptz,
    PRIMARY KEY (event_id, consumer)
);
CREATE INDEX outbox_delivery_due ON outbox_delivery (next_at) WHERE state = 'pending';

-- The hash covers person, path and key; the key itself is not kept.
CREATE TABLE shared_idempotency (
    key_hash   bytea PRIMARY KEY,
    body_hash  bytea NOT NULL,
    status     integer NOT NULL,
    answer     text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX shared_idempotency_age ON shared_idempotency (created_at);

-- The hash covers what is limited and whom; hits are the instants inside the window, oldest first.
CREATE TABLE shared_limit (
    key_hash   bytea PRIMARY KEY,
    hits       timestamptz[] NOT NULL,
    granted    boolean NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX shared_limit_age ON shared_limit (expires_at);
