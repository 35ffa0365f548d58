package main

import (
	"context"
	"net/http"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/idempotency"
	"github.com/honeydue/backend/shared/pg"
)

type createContractorInput struct {
	idempotency.Header
	Body NewContractor
}

func (s *service) createContractor(ctx context.Context, in *createContractorInput) (*idempotency.Answer[Contractor], error) {
	me := authn.User(ctx).ID
	guard, err := idempotency.New(me, "/api/contractors/", in.Header, in.Body)
	if err != nil {
		return nil, err
	}
	if err := in.Body.tidy(); err != nil {
		return nil, err
	}
	look := func(ctx context.Context) (home.Access, error) {
		return home.OfWorker(ctx, s.DB, me, in.Body.ResidenceID)
	}
	var made Contractor
	err = s.Homes.Change(ctx, guard, look, func(tx *pg.Tx, _ home.Access) error {
		var err error
		if made, err = addContractor(ctx, tx, me, in.Body); err != nil {
			return err
		}
		return guard.Keep(tx, http.StatusCreated, made)
	})
	if err != nil {
		return nil, err
	}
	return idempotency.Reply(guard, made)
}
