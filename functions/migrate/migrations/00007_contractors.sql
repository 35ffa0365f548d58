-- Whom a home calls. Owned by residences.
-- +goose Up
CREATE TABLE residence_contractor (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    residence_id  bigint NOT NULL REFERENCES residence_residence ON DELETE CASCADE,
    name          text NOT NULL,
    company       text,
    phone         text,
    email         text,
    website       text,
    notes         text,
    rating        smallint CHECK (rating BETWEEN 1 AND 5),
    is_favorite   boolean NOT NULL DEFAULT false,
    created_by_id bigint REFERENCES auth_user ON DELETE SET NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (residence_id, id)
);
CREATE INDEX residence_contractor_creator ON residence_contractor (created_by_id);

CREATE TABLE residence_contractor_specialty (
    contractor_id bigint NOT NULL REFERENCES residence_contractor ON DELETE CASCADE,
    specialty_id  bigint NOT NULL REFERENCES task_specialty ON DELETE RESTRICT,
    PRIMARY KEY (contractor_id, specialty_id)
);
CREATE INDEX residence_contractor_specialty_of ON residence_contractor_specialty (specialty_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON residence_contractor, residence_contractor_specialty TO honeydue_residences;
