package main

import (
	"context"
	"fmt"

	"github.com/honeydue/backend/shared/page"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/search"
)

type listTemplatesInput struct {
	page.Query
	Conditional
	Search     string `query:"search" maxLength:"200" doc:"Words that its texts contain, all of them, in whatever case" example:"furnace filter"`
	CategoryID int64  `query:"category_id" minimum:"1" doc:"Only those of this category" example:"6"`
}

var selectTemplates = `
SELECT ` + templateColumns + ` FROM task_template t
WHERE ` + search.Match("$1", "t.title", "t.description", "t.why") + `
    AND ($2::bigint = 0 OR t.category_id = $2::bigint) AND t.id > $3::bigint
ORDER BY t.id LIMIT $4::int`

func (s *service) listTemplates(ctx context.Context, in *listTemplatesInput) (*cacheableOutput, error) {
	after, err := in.After()
	if err != nil {
		return nil, err
	}
	patterns, err := search.Patterns("search", in.Search)
	if err != nil {
		return nil, err
	}
	rows, err := pg.All[templateRow](ctx, s.DB, selectTemplates, patterns, in.CategoryID, after, in.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	found := make([]Template, len(rows))
	for i, r := range rows {
		found[i] = r.template()
	}
	return cacheable(page.Of(found, in.Limit, func(t Template) int64 { return t.ID }), in.Conditional, "private")
}
