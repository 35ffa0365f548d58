package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/idempotency"
	"github.com/honeydue/backend/shared/patch"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

type createCompletionBody struct {
	TaskID      int64                  `json:"task_id" minimum:"1" example:"7"`
	CompletedOn *date.Date             `json:"completed_on,omitempty" nullable:"true" format:"date" doc:"Today, if left out" example:"2026-10-29"`
	Occurrence  patch.Field[date.Date] `json:"occurrence,omitempty" format:"date" doc:"The due date that the caller saw, null for none. Left out, whatever is due is completed" example:"2026-10-31"`
	Notes       *string                `json:"notes,omitempty" nullable:"true" maxLength:"5000"`
	ActualCost  *string                `json:"actual_cost,omitempty" nullable:"true" pattern:"^\\d{1,10}(\\.\\d{1,2})?$" example:"140.00"`
	Rating      *int                   `json:"rating,omitempty" nullable:"true" minimum:"1" maximum:"5" example:"5"`
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

const insertCompletion = `
INSERT INTO task_taskcompletion AS c (task_id, completed_by_id, completed_on, occurrence_on, notes, actual_cost, rating, before_in_progress)
VALUES ($1, $2, $3::date, $4::date, $5, $6::numeric, $7::smallint, $8)
RETURNING ` + entryColumns

func (s *service) createCompletion(ctx context.Context, in *createCompletionInput) (*idempotency.Answer[completed], error) {
	me, today := authn.User(ctx).ID, authn.Today(ctx, s.Now())
	guard, err := idempotency.New(me, "/api/task-completions/", in.Header, in.Body)
	if err != nil {
		return nil, err
	}
	on := today
	patch.Apply(in.Body.CompletedOn, &on)
	if err := notBeyond(on, today); err != nil {
		return nil, err
	}
	now := &held{row: row{ID: in.Body.TaskID}}
	var made completed
	look := func(ctx context.Context) (home.Access, error) { return s.workOn(ctx, in.Body.TaskID) }
	err = s.Homes.Change(ctx, guard, look, func(tx *pg.Tx, _ home.Access) error {
		if err := s.mayComplete(ctx, now.row, in.Body.Occurrence); err != nil {
			return err
		}
		added, after, err := complete(ctx, tx, *now, me, on, in.Body)
		if err != nil {
			return err
		}
		err = s.Outbox.Append(ctx, tx, events.TaskCompleted{TaskID: after.ID, CompletionID: added.ID, ResidenceID: after.ResidenceID, ActorID: me})
		if err != nil {
			return err
		}
		made = completed{added.completion(), s.show(ctx, after)}
		return guard.Keep(tx, http.StatusCreated, made)
	}, now)
	if err != nil {
		return nil, fmt.Errorf("complete task %d: %w", in.Body.TaskID, err)
	}
	return idempotency.Reply(guard, made)
}

// mayComplete refuses with the task as it is now when nothing is left to complete, or something else than the caller saw.
func (s *service) mayComplete(ctx context.Context, now row, seen patch.Field[date.Date]) error {
	switch {
	case !now.open():
		return problem.Conflict("This task is completed, cancelled or archived.", s.show(ctx, now))
	case seen.Sent && !same(seen.Value, now.NextDueOn):
		return problem.Conflict("Another date is due by now.", s.show(ctx, now))
	default:
		return nil
	}
}

// complete writes the entry and the task that it leaves behind, in one round trip.
func complete(ctx context.Context, tx *pg.Tx, now held, me int64, on date.Date, body createCompletionBody) (added entry, after row, err error) {
	batch := &pgx.Batch{}
	batch.Queue(insertCompletion, now.ID, me, on, now.NextDueOn, body.Notes, body.ActualCost, body.Rating, now.InProgress)
	now.complete(on)
	batch.Queue(updateTask, updateArgs(now.row)...)
	results := tx.SendBatch(ctx, batch)
	defer func() { err = errors.Join(err, results.Close()) }()
	if added, err = readOne[entry](results); err != nil {
		return entry{}, row{}, err
	}
	after, err = readOne[row](results)
	return added, after, err
}
