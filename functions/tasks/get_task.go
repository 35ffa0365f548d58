package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

type taskInput struct {
	ID int64 `path:"id" minimum:"1" example:"7"`
}

type taskOutput struct {
	Body task
}

const selectTask = `
SELECT ` + columns + ` FROM task_task t
WHERE t.id = $1 AND EXISTS (SELECT FROM residence_member m WHERE m.residence_id = t.residence_id AND m.user_id = $2)`

func (s *service) getTask(ctx context.Context, in *taskInput) (*taskOutput, error) {
	found, err := pg.One[row](ctx, s.DB, selectTask, in.ID, authn.User(ctx).ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound()
	}
	if err != nil {
		return nil, fmt.Errorf("get task %d: %w", in.ID, err)
	}
	return &taskOutput{Body: s.show(ctx, found)}, nil
}
