-- Homes, who belongs to them, and the codes that let people in. Owned by residences.
-- +goose Up
CREATE TABLE residence_residence (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name            text NOT NULL,
    residence_type  text CHECK (residence_type IN ('house', 'apartment', 'condo', 'townhouse', 'duplex', 'mobile_home', 'cabin', 'other')),
    street_address  text,
    apartment_unit  text,
    city            text,
    state_province  text,
    postal_code     text,
    country         text,
    bedrooms        integer,
    bathrooms       numeric(4,1),
    square_footage  integer,
    lot_size        numeric(12,2),
    year_built      integer,
    description     text,
    purchase_date   date,
    purchase_price  numeric(14,2),
    is_primary      boolean NOT NULL DEFAULT false,
    heating         text,
    cooling         text,
    water_heater    text,
    roof            text,
    pool            boolean,
    sprinkler       boolean,
    septic          boolean,
    fireplace       boolean,
    garage          boolean,
    basement        boolean,
    attic           boolean,
    exterior        text,
    flooring        text,
    landscaping     text,
    created_by_id   bigint REFERENCES auth_user ON DELETE SET NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE residence_member (
    residence_id bigint NOT NULL REFERENCES residence_residence ON DELETE CASCADE,
    user_id      bigint NOT NULL REFERENCES auth_user ON DELETE CASCADE,
    role         text NOT NULL CHECK (role IN ('owner', 'member', 'viewer')),
    joined_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (residence_id, user_id)
);
CREATE INDEX residence_member_user ON residence_member (user_id, residence_id);
CREATE UNIQUE INDEX residence_member_owner ON residence_member (residence_id) WHERE role = 'owner';

-- One live code a home; it goes when it is redeemed. Only its hash is kept.
CREATE TABLE residence_share_code (
    residence_id  bigint PRIMARY KEY REFERENCES residence_residence ON DELETE CASCADE,
    code_hash     bytea NOT NULL UNIQUE,
    created_by_id bigint NOT NULL REFERENCES auth_user ON DELETE CASCADE,
    expires_at    timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now()
);
