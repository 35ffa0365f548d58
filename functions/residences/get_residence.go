package main

import (
	"context"

	"github.com/honeydue/backend/shared/authn"
)

// ResidencePath names a home.
type ResidencePath struct {
	ID int64 `path:"id" minimum:"1" example:"7"`
}

type residenceOutput struct{ Body Residence }

func (s *service) getResidence(ctx context.Context, in *ResidencePath) (*residenceOutput, error) {
	found, err := residence(ctx, s.DB, authn.User(ctx).ID, in.ID)
	if err != nil {
		return nil, err
	}
	return &residenceOutput{found}, nil
}
