-- Messages to people: planned with the event that asks for them, sent after. Owned by notifications.
-- +goose Up
CREATE TABLE notification_message (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id     uuid NOT NULL,
    user_id      bigint NOT NULL REFERENCES auth_user ON DELETE CASCADE,
    channel      text NOT NULL CHECK (channel IN ('email')),
    type         text NOT NULL,
    refs         jsonb NOT NULL,
    state        text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sending', 'sent', 'dead')),
    attempts     integer NOT NULL DEFAULT 0,
    next_at      timestamptz NOT NULL DEFAULT now(),
    lease_until  timestamptz,
    expires_at   timestamptz NOT NULL,
    last_error   text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    sent_at      timestamptz,
    UNIQUE (event_id, user_id, channel)
);
CREATE INDEX notification_message_due ON notification_message (next_at) WHERE state IN ('pending', 'sending');
CREATE INDEX notification_message_user ON notification_message (user_id, id);
