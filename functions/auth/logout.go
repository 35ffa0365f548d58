package main

import (
	"context"
	"fmt"

	"github.com/honeydue/backend/shared/authn"
)

func (s *service) logout(ctx context.Context, _ *struct{}) (*struct{}, error) {
	me := authn.User(ctx)
	if err := s.endSession(ctx, me.ID, me.SessionID, me.TokenHash); err != nil {
		return nil, fmt.Errorf("log out: %w", err)
	}
	return &struct{}{}, nil
}
