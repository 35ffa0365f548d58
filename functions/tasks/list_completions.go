package main

import (
	"context"
	"fmt"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/page"
	"github.com/honeydue/backend/shared/pg"
)

type listCompletionsInput struct {
	page.Query
	TaskID      int64  `query:"task_id" minimum:"1" doc:"Only the history of this task" example:"7"`
	ResidenceID int64  `query:"residence_id" minimum:"1" doc:"Only what was done in this home" example:"3"`
	Kind        string `query:"kind" enum:"completed,skipped,unassigned" doc:"Only entries of this kind"`
}

type listCompletionsOutput struct {
	Body page.List[completion]
}

// What the caller may not see is not in the list: a foreign filter gives an empty one.
var selectCompletions = `
SELECT ` + entryColumns + `
FROM residence_member m JOIN task_task t ON t.residence_id = m.residence_id JOIN task_taskcompletion c ON c.task_id = t.id
WHERE m.user_id = $1 AND ($2::bigint = 0 OR t.id = $2::bigint) AND ($3::bigint = 0 OR t.residence_id = $3::bigint)
    AND ($4::bigint = 0 OR c.id < $4::bigint) AND ($6::text = '' OR c.kind = $6::text)
ORDER BY c.id DESC LIMIT $5::int`

func (s *service) listCompletions(ctx context.Context, in *listCompletionsInput) (*listCompletionsOutput, error) {
	after, err := in.After()
	if err != nil {
		return nil, err
	}
	entries, err := pg.All[entry](ctx, s.DB, selectCompletions, authn.User(ctx).ID, in.TaskID, in.ResidenceID, after, in.Limit+1, in.Kind)
	if err != nil {
		return nil, fmt.Errorf("list completions: %w", err)
	}
	found := make([]completion, len(entries))
	for i, e := range entries {
		found[i] = e.completion()
	}
	return &listCompletionsOutput{Body: page.Of(found, in.Limit, func(c completion) int64 { return c.ID })}, nil
}
