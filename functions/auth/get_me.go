package main

import (
	"context"
	"fmt"

	"github.com/honeydue/backend/shared/authn"
)

const selectUser = `SELECT ` + userColumns + ` FROM auth_user u WHERE u.id = $1`

func (s *service) getMe(ctx context.Context, _ *struct{}) (*userOutput, error) {
	found, err := oneUser(ctx, s.DB, selectUser, authn.User(ctx).ID)
	if err != nil {
		return nil, fmt.Errorf("read user: %w", signedOut(err))
	}
	return &userOutput{found}, nil
}
