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

type oneTaskOutput struct {
	Body taskOfCaller
}

// Task is a task by a name under which its fields can be part of another answer's.
type Task = task

// A taskOfCaller also says what the caller alone has to do with it.
type taskOfCaller struct {
	Task
	NextReminder shownReminder `json:"next_reminder" doc:"When the caller is reminded of it next, as things stand; null when never"`
}

// ownRow is a task with what decides when the caller is reminded of it.
type ownRow struct {
	row
	Every    *int
	Unit     *string
	IsMine   bool // it is the caller's to be reminded of
	TimeZone *string
	DueSoon  int
	Overdue  int
}

// Who is reminded of a task is whom it was given to, and otherwise everyone who may work on it.
const selectTask = `
SELECT ` + columns + `, f.every, f.unit, u.time_zone, u.task_due_soon_hour AS due_soon, u.task_overdue_hour AS overdue,
    CASE WHEN t.assigned_to_id IS NULL THEN m.role <> 'viewer' ELSE t.assigned_to_id = m.user_id END AS is_mine
FROM task_task t JOIN residence_member m ON m.residence_id = t.residence_id AND m.user_id = $2 JOIN auth_user u ON u.id = m.user_id
    LEFT JOIN task_frequency f ON f.id = t.frequency_id
WHERE t.id = $1`

func (s *service) getTask(ctx context.Context, in *taskInput) (*oneTaskOutput, error) {
	found, err := pg.One[ownRow](ctx, s.DB, selectTask, in.ID, authn.User(ctx).ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound()
	}
	if err != nil {
		return nil, fmt.Errorf("get task %d: %w", in.ID, err)
	}
	return &oneTaskOutput{Body: taskOfCaller{s.show(ctx, found.row), found.reminder(s.Now())}}, nil
}
