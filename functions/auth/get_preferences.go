package main

import (
	"context"
	"fmt"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/pg"
)

const selectPreferences = `SELECT ` + preferencesColumns + ` FROM auth_user u WHERE u.id = $1`

func (s *service) getPreferences(ctx context.Context, _ *struct{}) (*preferencesOutput, error) {
	found, err := pg.One[preferencesRow](ctx, s.DB, selectPreferences, authn.User(ctx).ID)
	if err != nil {
		return nil, fmt.Errorf("read preferences: %w", signedOut(err))
	}
	return &preferencesOutput{found.shown()}, nil
}
