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

type deleteSessionInput struct {
	ID int64 `path:"id" minimum:"1" example:"12"`
}

const selectToken = `SELECT token_hash FROM auth_session WHERE id = $1 AND user_id = $2`

func (s *service) deleteSession(ctx context.Context, in *deleteSessionInput) (*struct{}, error) {
	me := authn.User(ctx).ID
	hash, err := pg.Value[[]byte](ctx, s.DB, selectToken, in.ID, me)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound()
	}
	if err != nil {
		return nil, fmt.Errorf("look up session %d: %w", in.ID, err)
	}
	if err := s.endSession(ctx, me, in.ID, hash); err != nil {
		return nil, err
	}
	return &struct{}{}, nil
}
