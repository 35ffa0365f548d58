-- Accounts, sessions and codes. Owned by auth.
-- +goose Up
CREATE TABLE auth_user (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email             text NOT NULL,
    password_hash     text,
    first_name        text NOT NULL DEFAULT '',
    last_name         text NOT NULL DEFAULT '',
    email_verified_at timestamptz,
    time_zone         text,
    locale            text NOT NULL DEFAULT 'en',
    currency          text NOT NULL DEFAULT 'USD',
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX auth_user_email ON auth_user (lower(email));

CREATE TABLE auth_session (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id      bigint NOT NULL REFERENCES auth_user ON DELETE CASCADE,
    token_hash   bytea NOT NULL UNIQUE,
    device_name  text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL
);
CREATE INDEX auth_session_user ON auth_session (user_id, id);
CREATE INDEX auth_session_expiry ON auth_session (expires_at);

-- The six digits are derived from the row where they are sent and checked; they are never stored.
CREATE TABLE auth_code (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    bigint NOT NULL REFERENCES auth_user ON DELETE CASCADE,
    purpose    text NOT NULL CHECK (purpose IN ('verify_email', 'change_email', 'reset_password')),
    nonce      bytea NOT NULL,
    new_email  text,
    tries      integer NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((purpose = 'change_email') = (new_email IS NOT NULL))
);
CREATE INDEX auth_code_user ON auth_code (user_id, purpose, id);

-- The address that was, for as long as it must be told.
CREATE TABLE auth_email_change (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    bigint NOT NULL REFERENCES auth_user ON DELETE CASCADE,
    old_email  text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX auth_email_change_user ON auth_email_change (user_id);
