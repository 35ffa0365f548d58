package main

import (
	"context"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/page"
)

type listInput struct{ page.Query }

type listResidencesOutput struct{ Body page.List[Residence] }

func (s *service) listResidences(ctx context.Context, in *listInput) (*listResidencesOutput, error) {
	after, err := in.After()
	if err != nil {
		return nil, err
	}
	found, err := residences(ctx, s.DB, authn.User(ctx).ID, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return &listResidencesOutput{page.Of(found, in.Limit, func(r Residence) int64 { return r.ID })}, nil
}
