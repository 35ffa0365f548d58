package main

import (
	"context"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

type completionInput struct {
	ID int64 `path:"id" minimum:"1" example:"41"`
}

// Days of completing can be corrected, so the last one is asked of the entries that stay.
const deleteNewest = `
WITH gone AS (
    DELETE FROM task_taskcompletion WHERE id = $1 RETURNING task_id, kind, occurrence_on, before_in_progress, before
)
UPDATE task_task t SET next_due_on = gone.occurrence_on, in_progress = gone.before_in_progress,
    due_on = CASE WHEN gone.before IS NULL THEN t.due_on ELSE (gone.before->>'due_on')::date END,
    frequency_id = CASE WHEN gone.before IS NULL THEN t.frequency_id ELSE (gone.before->>'frequency_id')::bigint END,
    recurrence = CASE WHEN gone.before IS NULL THEN t.recurrence ELSE nullif(gone.before->'recurrence', 'null') END,
    completion_count = t.completion_count - (gone.kind = 'completed')::int, updated_at = now(),
    last_completed_on = (SELECT max(c.completed_on) FROM task_taskcompletion c WHERE c.task_id = t.id AND c.kind = 'completed' AND c.id <> $1)
FROM gone WHERE t.id = gone.task_id`

func (s *service) deleteCompletion(ctx context.Context, in *completionInput) (*struct{}, error) {
	err := s.changeCompletion(ctx, in.ID, s.files.New(authn.User(ctx).ID, nil), func(tx *pg.Tx, now *heldEntry) error {
		if !now.Newest {
			return problem.Conflict("Only the newest entry of a task's history can be taken back.", s.show(ctx, now.task.row))
		}
		tx.Queue(deleteNewest, now.ID)
		return nil
	})
	return nil, err
}
