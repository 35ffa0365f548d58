package main

import (
	"context"
	"fmt"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/board"
	"github.com/honeydue/backend/shared/page"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/search"
)

type searchTasksInput struct {
	page.Query
	Text         string `query:"q" maxLength:"200" doc:"Words that its title and description contain, all of them, in whatever case" example:"gutters"`
	State        string `query:"state" enum:"overdue_tasks,due_soon_tasks,upcoming_tasks,in_progress_tasks,completed_tasks,cancelled,archived" doc:"Only what stands there today. Without it, everything"`
	ResidenceID  int64  `query:"residence_id" minimum:"1" doc:"Only the tasks of this home" example:"3"`
	AssignedToID int64  `query:"assigned_to_id" minimum:"1" doc:"Only what this person was given" example:"12"`
}

type searchTasksOutput struct {
	Body page.List[task]
}

// What the caller may not see is not in the list: a foreign filter gives an empty one.
var selectFound = `
SELECT ` + columns + `
FROM residence_member m JOIN task_task t ON t.residence_id = m.residence_id
WHERE m.user_id = $1 AND ($2::bigint = 0 OR m.residence_id = $2::bigint) AND ($3::bigint = 0 OR t.assigned_to_id = $3::bigint)
    AND ` + search.Match("$4", "t.title", "t.description") + `
    AND CASE $5::text WHEN '' THEN true WHEN 'cancelled' THEN t.is_cancelled WHEN 'archived' THEN t.is_archived
        ELSE ` + board.SQL("t", "$6::date", "$7::int") + ` = $5::text END
    AND ($8::bigint = 0 OR t.id < $8::bigint)
ORDER BY t.id DESC LIMIT $9::int`

func (s *service) searchTasks(ctx context.Context, in *searchTasksInput) (*searchTasksOutput, error) {
	after, err := in.After()
	if err != nil {
		return nil, err
	}
	patterns, err := search.Patterns("q", in.Text)
	if err != nil {
		return nil, err
	}
	found, err := pg.All[row](ctx, s.DB, selectFound, authn.User(ctx).ID, in.ResidenceID, in.AssignedToID, patterns, in.State,
		authn.Today(ctx, s.Now()), board.DefaultThreshold, after, in.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("search tasks: %w", err)
	}
	tasks := make([]task, len(found))
	for i, r := range found {
		tasks[i] = s.show(ctx, r)
	}
	return &searchTasksOutput{Body: page.Of(tasks, in.Limit, func(t task) int64 { return t.ID })}, nil
}
