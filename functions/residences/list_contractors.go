package main

import (
	"context"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/page"
	"github.com/honeydue/backend/shared/search"
)

type listContractorsInput struct {
	page.Query
	ResidenceID int64  `query:"residence_id" minimum:"1" doc:"Only those of this home" example:"7"`
	SpecialtyID int64  `query:"specialty_id" minimum:"1" doc:"Only those of this specialty" example:"14"`
	Favorite    string `query:"favorite" enum:"true,false" doc:"Only favorites, or only those that are none" example:"true"`
	Search      string `query:"search" maxLength:"200" doc:"Only those with all these words in name, company, notes and email, in any case" example:"marsh"`
}

type listContractorsOutput struct{ Body page.List[Contractor] }

// What the caller may not see is not in the list: a foreign filter gives an empty one.
func (s *service) listContractors(ctx context.Context, in *listContractorsInput) (*listContractorsOutput, error) {
	after, err := in.After()
	if err != nil {
		return nil, err
	}
	patterns, err := search.Patterns("search", in.Search)
	if err != nil {
		return nil, err
	}
	found, err := contractors(ctx, s.DB, authn.User(ctx).ID, after, in.Limit+1,
		choice{residence: in.ResidenceID, specialty: in.SpecialtyID, favorite: in.Favorite, patterns: patterns})
	if err != nil {
		return nil, err
	}
	return &listContractorsOutput{page.Of(found, in.Limit, func(c Contractor) int64 { return c.ID })}, nil
}
