-- Rhythms in full, where a task comes from and who is called for it, and a history that also tells of what was not done.
-- Owned by tasks.
-- +goose Up
ALTER TABLE task_task
    ADD COLUMN recurrence jsonb,
    ADD COLUMN contractor_id bigint,
    ADD COLUMN template_id bigint REFERENCES task_template ON DELETE SET NULL,
    ADD CONSTRAINT task_task_one_rhythm CHECK (recurrence IS NULL OR frequency_id IS NULL),
    -- A contractor of another home is none.
    ADD CONSTRAINT task_task_contractor_id_fkey FOREIGN KEY (residence_id, contractor_id)
        REFERENCES residence_contractor (residence_id, id) ON DELETE SET NULL (contractor_id);
CREATE INDEX task_task_contractor ON task_task (residence_id, contractor_id) WHERE contractor_id IS NOT NULL;
CREATE INDEX task_task_template ON task_task (residence_id, template_id) WHERE template_id IS NOT NULL;

-- What completing and skipping change of the task is kept as it was in before; entries that are older have none. An entry
-- that someone was taken off a task tells of it and ends nothing.
ALTER TABLE task_taskcompletion
    ADD COLUMN kind text NOT NULL DEFAULT 'completed' CHECK (kind IN ('completed', 'skipped', 'unassigned')),
    ADD COLUMN before jsonb,
    ADD COLUMN unassigned_id bigint REFERENCES auth_user ON DELETE SET NULL;
CREATE INDEX task_taskcompletion_unassigned ON task_taskcompletion (unassigned_id) WHERE unassigned_id IS NOT NULL;

-- Who leaves a home is taken off its tasks, and their history says so.
GRANT SELECT (id) ON task_task TO honeydue_residences;
GRANT INSERT (task_id, completed_by_id, completed_on, occurrence_on, before_in_progress, kind, unassigned_id) ON task_taskcompletion TO honeydue_residences;
