package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/attach"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/idempotency"
	"github.com/honeydue/backend/shared/patch"
	"github.com/honeydue/backend/shared/pg"
)

type createCompletionBody struct {
	TaskID      int64                  `json:"task_id" minimum:"1" example:"7"`
	CompletedOn *date.Date             `json:"completed_on,omitempty" nullable:"true" format:"date" doc:"Today, if left out" example:"2026-10-29"`
	Occurrence  patch.Field[date.Date] `json:"occurrence,omitempty" format:"date" doc:"The due date that the caller saw, null for none. Left out, whatever is due is completed" example:"2026-10-31"`
	Notes       *string                `json:"notes,omitempty" nullable:"true" maxLength:"5000" example:"Took an hour"`
	ActualCost  *string                `json:"actual_cost,omitempty" nullable:"true" pattern:"^\\d{1,10}(\\.\\d{1,2})?$" example:"140.00"`
	Rating      *int                   `json:"rating,omitempty" nullable:"true" minimum:"1" maximum:"5" example:"5"`
	UploadIDs   []int64                `json:"upload_ids,omitempty" nullable:"true" maxItems:"10" doc:"Photos of what was done, each sent as a completion_image: all are attached or nothing happens" example:"[88]"`
}

type createCompletionInput struct {
	idempotency.Header
	Body createCompletionBody
}

// completed is an entry with the task that it left behind.
type completed struct {
	Completion completion `json:"completion"`
	Task       task       `json:"task"`
}

func (s *service) createCompletion(ctx context.Context, in *createCompletionInput) (*idempotency.Answer[completed], error) {
	me, today := authn.User(ctx).ID, authn.Today(ctx, s.Now())
	guard, err := idempotency.New(me, "/api/task-completions/", in.Header, in.Body)
	if err != nil {
		return nil, err
	}
	on := today
	patch.Apply(in.Body.CompletedOn, &on)
	if err := plausible(on, today); err != nil {
		return nil, err
	}
	now := &held{row: row{ID: in.Body.TaskID}}
	photos := s.files.New(me, in.Body.UploadIDs, attach.CompletionImage)
	var made completed
	look := func(ctx context.Context) (home.Access, error) { return s.workOn(ctx, in.Body.TaskID) }
	err = s.Homes.Change(ctx, guard, photos.Behind(look), func(tx *pg.Tx, _ home.Access) error {
		if err := s.mayEnd(ctx, now, in.Body.Occurrence, on); err != nil {
			return err
		}
		ended := ending{kind: kindCompleted, by: me, on: on, notes: in.Body.Notes, cost: in.Body.ActualCost, rating: in.Body.Rating}
		added, after, err := ended.write(ctx, tx, *now, func(now *held) { now.complete(on) })
		if err != nil {
			return err
		}
		err = s.Outbox.Append(ctx, tx, events.TaskCompleted{TaskID: after.ID, CompletionID: added.ID, ResidenceID: after.ResidenceID, ActorID: me})
		if err != nil {
			return err
		}
		if added.Images, err = photos.Attach(ctx, tx, attach.Owner{ResidenceID: after.ResidenceID, CompletionID: &added.ID}); err != nil {
			return err
		}
		made = completed{added.completion(), s.show(ctx, after)}
		return guard.Keep(tx, http.StatusCreated, made)
	}, now, photos)
	if err := photos.Settle(ctx, err); err != nil {
		return nil, fmt.Errorf("complete task %d: %w", in.Body.TaskID, err)
	}
	return idempotency.Reply(guard, made)
}
