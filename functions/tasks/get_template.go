package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

type getTemplateInput struct {
	ID int64 `path:"id" minimum:"1" doc:"The template's id" example:"1101"`
	Conditional
}

const selectTemplate = `SELECT ` + templateColumns + ` FROM task_template t WHERE t.id = $1`

func (s *service) getTemplate(ctx context.Context, in *getTemplateInput) (*cacheableOutput, error) {
	found, err := pg.One[templateRow](ctx, s.DB, selectTemplate, in.ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound()
	}
	if err != nil {
		return nil, fmt.Errorf("get template %d: %w", in.ID, err)
	}
	return cacheable(found.template(), in.Conditional, "private")
}
