package main

import (
	"context"

	"github.com/honeydue/backend/shared/attach"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/patch"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

type patchCompletionBody struct {
	CompletedOn patch.Field[date.Date] `json:"completed_on,omitempty" nullable:"false" format:"date" example:"2026-10-29"`
	Notes       patch.Field[string]    `json:"notes,omitempty" maxLength:"5000" example:"Took an hour"`
	ActualCost  patch.Field[string]    `json:"actual_cost,omitempty" pattern:"^\\d{1,10}(\\.\\d{1,2})?$" example:"140.00"`
	Rating      patch.Field[int]       `json:"rating,omitempty" minimum:"1" maximum:"5" example:"5"`
	UploadIDs   []int64                `json:"upload_ids,omitempty" nullable:"true" maxItems:"10" doc:"Photos of what was done, on top of those that are there; DELETE /api/media/{id}/ takes one away" example:"[88]"`
}

type patchCompletionInput struct {
	ID   int64 `path:"id" minimum:"1" example:"41"`
	Body patchCompletionBody
}

type completionOutput struct {
	Body completion
}

var updateCompletion = `
UPDATE task_taskcompletion c SET completed_on = $2::date, notes = $3, actual_cost = $4::numeric, rating = $5::smallint
WHERE c.id = $1
RETURNING ` + entryColumns

const updateLastCompleted = `
UPDATE task_task SET updated_at = now(), last_completed_on = (SELECT max(completed_on) FROM task_taskcompletion WHERE task_id = $1 AND kind = 'completed')
WHERE id = $1`

func (s *service) patchCompletion(ctx context.Context, in *patchCompletionInput) (*completionOutput, error) {
	body := in.Body
	if body.CompletedOn.Sent {
		if body.CompletedOn.Value == nil {
			return nil, problem.Invalid("body.completed_on", "expected a date")
		}
		if err := plausible(*body.CompletedOn.Value, authn.Today(ctx, s.Now())); err != nil {
			return nil, err
		}
	}
	var changed entry
	photos := s.files.New(authn.User(ctx).ID, body.UploadIDs, attach.CompletionImage)
	err := s.changeCompletion(ctx, in.ID, photos, func(tx *pg.Tx, now *heldEntry) error {
		if now.Kind == kindSkipped && (body.ActualCost.Value != nil || body.Rating.Value != nil || len(body.UploadIDs) > 0) {
			return problem.Conflict("What was skipped has no cost, no rating and no photos.", s.show(ctx, now.task.row))
		}
		if err := photos.Fit(len(now.Images)); err != nil {
			return err
		}
		patch.Apply(body.CompletedOn.Value, &now.CompletedOn)
		body.Notes.Apply(&now.Notes)
		body.ActualCost.Apply(&now.ActualCost)
		body.Rating.Apply(&now.Rating)
		var err error
		if changed, err = pg.One[entry](ctx, tx, updateCompletion, now.ID, now.CompletedOn, now.Notes, now.ActualCost, now.Rating); err != nil {
			return err
		}
		tx.Queue(updateLastCompleted, now.TaskID)
		added, err := photos.Attach(ctx, tx, attach.Owner{ResidenceID: now.task.ResidenceID, CompletionID: &now.ID})
		changed.Images = attach.With(changed.Images, added)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &completionOutput{Body: changed.completion()}, nil
}
