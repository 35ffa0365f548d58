package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/honeydue/backend/shared/attach"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/idempotency"
	"github.com/honeydue/backend/shared/pg"
)

type createResidenceInput struct {
	idempotency.Header
	Body NewResidence
}

// createResidence marks nobody's boards: a home without tasks changes none, and its first task marks its owner's.
func (s *service) createResidence(ctx context.Context, in *createResidenceInput) (*idempotency.Answer[Residence], error) {
	me := authn.User(ctx).ID
	guard, err := idempotency.New(me, "/api/residences/", in.Header, in.Body)
	if err != nil {
		return nil, err
	}
	if err := in.Body.tidy(); err != nil {
		return nil, err
	}
	photos := s.files.New(me, in.Body.UploadIDs, attach.ResidenceImage)
	if err := photos.Prepare(ctx); err != nil {
		return nil, err
	}
	var made Residence
	err = pg.InTx(ctx, s.DB, func(tx *pg.Tx) error {
		if err := guard.Begin(ctx, tx); err != nil || guard.Replayed() {
			return err
		}
		if in.Body.IsPrimary && len(in.Body.UploadIDs) > 0 {
			// Uploads come last, as where a home that is there becomes primary: so nobody waits in a circle.
			if _, err := tx.Exec(ctx, lockPrimary, me); err != nil {
				return fmt.Errorf("wait for turn: %w", err)
			}
		}
		if made, err = insert(ctx, tx, me, in.Body.Fields); err != nil {
			return err
		}
		if err := photos.Claim(ctx, tx); err != nil {
			return err
		}
		if made.Images, err = photos.Attach(ctx, tx, attach.Owner{ResidenceID: made.ID}); err != nil {
			return err
		}
		return guard.Keep(tx, http.StatusCreated, made)
	})
	if err := photos.Settle(ctx, err); err != nil {
		return nil, err
	}
	return idempotency.Reply(guard, made)
}
