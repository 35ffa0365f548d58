package main

import (
	"context"
	"fmt"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/idempotency"
	"github.com/honeydue/backend/shared/pg"
)

type changeContractorInput struct {
	ContractorPath
	Body Change[ContractorFields, ContractorChange]
}

func (s *service) changeContractor(ctx context.Context, in *changeContractorInput) (*contractorOutput, error) {
	if err := in.Body.keeps("name", "is_favorite"); err != nil {
		return nil, err
	}
	var changed Contractor
	err := s.workOnContractor(ctx, in.ID, func(tx *pg.Tx, stored Contractor) error {
		if err := in.Body.over(&stored.ContractorFields); err != nil {
			return fmt.Errorf("apply change: %w", err)
		}
		if err := stored.tidy(); err != nil {
			return err
		}
		var err error
		changed, err = saveContractor(ctx, tx, stored)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &contractorOutput{changed}, nil
}

// workOnContractor runs fn on a contractor that the caller may change, in the transaction that holds it.
func (s *service) workOnContractor(ctx context.Context, id int64, fn func(tx *pg.Tx, stored Contractor) error) error {
	stored := &heldContractor{Contractor{ID: id}}
	look := func(ctx context.Context) (home.Access, error) {
		return contractorAccess(ctx, s.DB, authn.User(ctx).ID, id)
	}
	return s.Homes.Change(ctx, &idempotency.Guard{}, look, func(tx *pg.Tx, _ home.Access) error {
		return fn(tx, stored.Contractor)
	}, stored)
}
