package main

import (
	"context"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/pg"
)

func (s *service) unshareResidence(ctx context.Context, in *ResidencePath) (*struct{}, error) {
	err := pg.InTx(ctx, s.DB, func(tx *pg.Tx) error {
		stored, err := hold(ctx, tx, authn.User(ctx).ID, in.ID, false)
		if err != nil {
			return err
		}
		if err := stored.access().MayAdminister(); err != nil {
			return err
		}
		tx.Queue(deleteCode, in.ID)
		return nil
	})
	return nil, err
}
