package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/idempotency"
	"github.com/honeydue/backend/shared/patch"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
	"github.com/honeydue/backend/shared/recur"
)

type skipTaskBody struct {
	Occurrence patch.Field[date.Date] `json:"occurrence,omitempty" format:"date" doc:"The due date that the caller saw, null for none. Left out, whatever is due is skipped" example:"2026-10-31"`
	Notes      *string                `json:"notes,omitempty" nullable:"true" maxLength:"5000" example:"It rained"`
}

type skipTaskInput struct {
	idempotency.Header
	ID   int64 `path:"id" minimum:"1" example:"7"`
	Body *skipTaskBody
}

func (s *service) skipTask(ctx context.Context, in *skipTaskInput) (*idempotency.Answer[task], error) {
	me, today := authn.User(ctx).ID, authn.Today(ctx, s.Now())
	body := skipTaskBody{}
	patch.Apply(in.Body, &body)
	guard, err := idempotency.New(me, "/api/tasks/"+strconv.FormatInt(in.ID, 10)+"/skip/", in.Header, body)
	if err != nil {
		return nil, err
	}
	now := &held{row: row{ID: in.ID}}
	var skipped task
	look := func(ctx context.Context) (home.Access, error) { return s.workOn(ctx, in.ID) }
	err = s.Homes.Change(ctx, guard, look, func(tx *pg.Tx, _ home.Access) error {
		if err := s.mayEnd(ctx, now, body.Occurrence, today); err != nil {
			return err
		}
		next := now.following(recur.Skipped, today)
		if next == nil {
			return problem.Conflict("Nothing follows what is due: cancel the task instead.", s.show(ctx, now.row))
		}
		_, after, err := ending{kind: kindSkipped, by: me, on: today, notes: body.Notes}.
			write(ctx, tx, *now, func(now *held) { now.skip(*next) })
		if err != nil {
			return err
		}
		skipped = s.show(ctx, after)
		return guard.Keep(tx, http.StatusOK, skipped)
	}, now)
	if err != nil {
		return nil, fmt.Errorf("skip task %d: %w", in.ID, err)
	}
	answer, err := idempotency.Reply(guard, skipped)
	if err != nil {
		return nil, err
	}
	answer.Status = http.StatusOK
	return answer, nil
}
