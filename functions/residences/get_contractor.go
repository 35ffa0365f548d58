package main

import (
	"context"

	"github.com/honeydue/backend/shared/authn"
)

// ContractorPath names a contractor.
type ContractorPath struct {
	ID int64 `path:"id" minimum:"1" example:"5"`
}

type contractorOutput struct{ Body Contractor }

func (s *service) getContractor(ctx context.Context, in *ContractorPath) (*contractorOutput, error) {
	found, err := contractor(ctx, s.DB, authn.User(ctx).ID, in.ID)
	if err != nil {
		return nil, err
	}
	return &contractorOutput{found}, nil
}
