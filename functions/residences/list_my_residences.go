package main

import (
	"context"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/page"
)

// MyResidence is a home with what the caller's first screen shows of it.
type MyResidence struct {
	Residence
	Summary Counts `json:"summary"`
	Members int    `json:"members" doc:"How many people belong to the home, the caller included" example:"3"`
}

type listMyResidencesOutput struct{ Body page.List[MyResidence] }

func (s *service) listMyResidences(ctx context.Context, in *listInput) (*listMyResidencesOutput, error) {
	after, err := in.After()
	if err != nil {
		return nil, err
	}
	found, err := countedResidences(ctx, s.DB, authn.User(ctx).ID, after, in.Limit+1, authn.Today(ctx, s.Now()))
	if err != nil {
		return nil, err
	}
	mine := make([]MyResidence, len(found))
	for i, row := range found {
		mine[i] = MyResidence{Residence: row.Residence, Summary: row.Counts, Members: row.Members}
	}
	return &listMyResidencesOutput{page.Of(mine, in.Limit, func(r MyResidence) int64 { return r.ID })}, nil
}
