package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/authn"
)

func (s *service) deleteSessions(ctx context.Context, _ *struct{}) (*struct{}, error) {
	me := authn.User(ctx)
	hashes, err := s.tokensOf(ctx, me.ID)
	if err != nil {
		return nil, err
	}
	others := slices.DeleteFunc(hashes, func(hash []byte) bool { return bytes.Equal(hash, me.TokenHash) })
	s.Cache.Revoke(ctx, others...)
	rows, err := s.DB.Query(ctx, deleteOtherSessions, me.ID, me.SessionID)
	if err != nil {
		return nil, fmt.Errorf("end other sessions: %w", err)
	}
	// One that was opened since the look is among these.
	ended, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return nil, fmt.Errorf("end other sessions: %w", err)
	}
	s.Cache.Revoke(ctx, append(others, ended...)...)
	return &struct{}{}, nil
}
