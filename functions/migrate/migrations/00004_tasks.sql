-- Tasks, their history and the lists to choose from. Owned by tasks.
-- +goose Up
CREATE TABLE task_category (
    id   bigint PRIMARY KEY,
    name text NOT NULL UNIQUE,
    icon text NOT NULL,
    color text NOT NULL
);
CREATE TABLE task_priority (
    id    bigint PRIMARY KEY,
    name  text NOT NULL UNIQUE,
    level integer NOT NULL UNIQUE,
    color text NOT NULL
);
-- every and unit are null for what happens once.
CREATE TABLE task_frequency (
    id    bigint PRIMARY KEY,
    name  text NOT NULL UNIQUE,
    every integer CHECK (every > 0),
    unit  text CHECK (unit IN ('day', 'week', 'month', 'year')),
    CHECK ((every IS NULL) = (unit IS NULL))
);
CREATE TABLE task_specialty (
    id   bigint PRIMARY KEY,
    name text NOT NULL UNIQUE,
    icon text NOT NULL
);

INSERT INTO task_category (id, name, icon, color) VALUES
    (1, 'Appliances', 'oven', '#8E8E93'),
    (2, 'Cleaning', 'sparkles', '#5AC8FA'),
    (3, 'Electrical', 'bolt', '#FFCC00'),
    (4, 'Exterior', 'house', '#A2845E'),
    (5, 'Garden', 'leaf', '#34C759'),
    (6, 'Heating and cooling', 'thermometer', '#FF9500'),
    (7, 'Interior', 'sofa', '#AF52DE'),
    (8, 'Pests', 'ant', '#8D6E63'),
    (9, 'Plumbing', 'drop', '#007AFF'),
    (10, 'Pool', 'waves', '#32ADE6'),
    (11, 'Roof and gutters', 'umbrella', '#636366'),
    (12, 'Safety', 'shield', '#FF3B30'),
    (13, 'General', 'wrench', '#5856D6');

INSERT INTO task_priority (id, name, level, color) VALUES
    (1, 'Low', 1, '#34C759'),
    (2, 'Medium', 2, '#FFCC00'),
    (3, 'High', 3, '#FF9500'),
    (4, 'Urgent', 4, '#FF3B30');

INSERT INTO task_frequency (id, name, every, unit) VALUES
    (1, 'Once', NULL, NULL),
    (2, 'Daily', 1, 'day'),
    (3, 'Weekly', 1, 'week'),
    (4, 'Every 2 weeks', 2, 'week'),
    (5, 'Monthly', 1, 'month'),
    (6, 'Quarterly', 3, 'month'),
    (7, 'Every 6 months', 6, 'month'),
    (8, 'Yearly', 1, 'year');

INSERT INTO task_specialty (id, name, icon) VALUES
    (1, 'Appliance repair', 'oven'),
    (2, 'Carpenter', 'hammer'),
    (3, 'Chimney sweep', 'flame'),
    (4, 'Cleaner', 'sparkles'),
    (5, 'Electrician', 'bolt'),
    (6, 'Gardener', 'leaf'),
    (7, 'General contractor', 'wrench'),
    (8, 'Handyman', 'toolbox'),
    (9, 'Heating and cooling', 'thermometer'),
    (10, 'Locksmith', 'key'),
    (11, 'Mason', 'brick'),
    (12, 'Painter', 'paintbrush'),
    (13, 'Pest control', 'ant'),
    (14, 'Plumber', 'drop'),
    (15, 'Pool service', 'waves'),
    (16, 'Roofer', 'umbrella');

-- due_on is the date that people set and that rhythms count from; next_due_on is the one that is due now.
CREATE TABLE task_task (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    residence_id      bigint NOT NULL REFERENCES residence_residence ON DELETE CASCADE,
    title             text NOT NULL,
    description       text,
    category_id       bigint REFERENCES task_category ON DELETE RESTRICT,
    priority_id       bigint REFERENCES task_priority ON DELETE RESTRICT,
    frequency_id      bigint REFERENCES task_frequency ON DELETE RESTRICT,
    due_on            date,
    next_due_on       date,
    assigned_to_id    bigint REFERENCES auth_user ON DELETE SET NULL,
    estimated_cost    numeric(12,2),
    in_progress       boolean NOT NULL DEFAULT false,
    is_cancelled      boolean NOT NULL DEFAULT false,
    is_archived       boolean NOT NULL DEFAULT false,
    last_completed_on date,
    completion_count  integer NOT NULL DEFAULT 0,
    created_by_id     bigint REFERENCES auth_user ON DELETE SET NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX task_task_residence ON task_task (residence_id, id);
CREATE INDEX task_task_assignee ON task_task (assigned_to_id) WHERE assigned_to_id IS NOT NULL;
CREATE INDEX task_task_creator ON task_task (created_by_id);

-- An entry keeps what was due (occurrence_on) and whether someone was at it, so that taking the newest one back
-- restores the task exactly.
CREATE TABLE task_taskcompletion (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task_id            bigint NOT NULL REFERENCES task_task ON DELETE CASCADE,
    completed_by_id    bigint REFERENCES auth_user ON DELETE SET NULL,
    completed_on       date NOT NULL,
    occurrence_on      date,
    notes              text,
    actual_cost        numeric(12,2),
    rating             smallint CHECK (rating BETWEEN 1 AND 5),
    before_in_progress boolean NOT NULL,
    created_at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX task_taskcompletion_task ON task_taskcompletion (task_id, id DESC);
CREATE INDEX task_taskcompletion_person ON task_taskcompletion (completed_by_id);
