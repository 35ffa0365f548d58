package main

import (
	"context"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/page"
)

type listUsersInput struct {
	ResidencePath
	page.Query
}

type listUsersOutput struct{ Body page.List[Member] }

func (s *service) listUsers(ctx context.Context, in *listUsersInput) (*listUsersOutput, error) {
	after, err := in.After()
	if err != nil {
		return nil, err
	}
	found, err := usersOf(ctx, s.DB, authn.User(ctx).ID, in.ID, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return &listUsersOutput{page.Of(found, in.Limit, func(u Member) int64 { return u.ID })}, nil
}
