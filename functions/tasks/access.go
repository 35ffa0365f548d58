package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// Who may not see a task or an entry of its history finds no row, and so the 404 of what is not there.
var (
	selectTaskAccess = `
SELECT m.residence_id, m.user_id, m.role, ` + home.MembersOf("m.residence_id") + ` AS members
FROM task_task t JOIN residence_member m ON m.residence_id = t.residence_id
WHERE t.id = $1 AND m.user_id = $2`

	selectCompletionAccess = `
SELECT m.residence_id, m.user_id, m.role, ` + home.MembersOf("m.residence_id") + ` AS members, t.id AS task_id
FROM task_taskcompletion c JOIN task_task t ON t.id = c.task_id JOIN residence_member m ON m.residence_id = t.residence_id
WHERE c.id = $1 AND m.user_id = $2`
)

// workOn returns the caller's access to the home of a task, and refuses who may not work there.
func (s *service) workOn(ctx context.Context, id int64) (home.Access, error) {
	access, err := pg.One[home.Access](ctx, s.DB, selectTaskAccess, id, authn.User(ctx).ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return home.Access{}, problem.NotFound()
	}
	if err != nil {
		return home.Access{}, fmt.Errorf("look up access to task %d: %w", id, err)
	}
	return access, access.MayWork()
}

type completionAccess struct {
	home.Access
	TaskID int64
}

// workOnCompletion is workOn for an entry of a task's history.
func (s *service) workOnCompletion(ctx context.Context, id int64) (completionAccess, error) {
	access, err := pg.One[completionAccess](ctx, s.DB, selectCompletionAccess, id, authn.User(ctx).ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return completionAccess{}, problem.NotFound()
	}
	if err != nil {
		return completionAccess{}, fmt.Errorf("look up access to completion %d: %w", id, err)
	}
	return access, access.MayWork()
}
