-- Since when a schedule is to come: of one that never came nobody could say how late it is.
-- +goose Up
ALTER TABLE shared_schedule ADD COLUMN since timestamptz NOT NULL DEFAULT now();
