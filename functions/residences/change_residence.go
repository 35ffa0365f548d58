package main

import (
	"context"
	"fmt"

	"github.com/honeydue/backend/shared/attach"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

type changeResidenceInput struct {
	ResidencePath
	Body Change[Fields, ResidenceChange]
}

// changeResidence marks nobody's boards, since none shows anything of the home but its id.
func (s *service) changeResidence(ctx context.Context, in *changeResidenceInput) (*residenceOutput, error) {
	if err := in.Body.keeps("name", "is_primary"); err != nil {
		return nil, err
	}
	var sent NewResidence
	if err := in.Body.into(&sent); err != nil {
		return nil, fmt.Errorf("decode change: %w", err)
	}
	me := authn.User(ctx).ID
	photos := s.files.New(me, sent.UploadIDs, attach.ResidenceImage)
	if len(sent.UploadIDs) > 0 {
		look := func(ctx context.Context) (home.Access, error) { return home.OfWorker(ctx, s.DB, me, in.ID) }
		if _, err := photos.Behind(look)(ctx); err != nil {
			return nil, err
		}
	}
	var changed Residence
	err := pg.InTx(ctx, s.DB, func(tx *pg.Tx) error {
		stored, err := hold(ctx, tx, me, in.ID, sent.IsPrimary)
		if err != nil {
			return err
		}
		if err := stored.access().MayWork(); err != nil {
			return err
		}
		if err := photos.Fit(len(stored.Images)); err != nil {
			return err
		}
		if err := photos.Claim(ctx, tx); err != nil {
			return err
		}
		primary := stored.IsPrimary
		if err := in.Body.over(&stored.Fields); err != nil {
			return fmt.Errorf("apply change: %w", err)
		}
		if err := stored.tidy(); err != nil {
			return err
		}
		// The primary home is one of its owner's: a member would otherwise choose among homes that are not theirs.
		if stored.IsPrimary != primary && stored.Role != home.Owner {
			return problem.Forbidden("Only the owner decides whether this home is primary.")
		}
		if changed, err = save(ctx, tx, stored); err != nil {
			return err
		}
		if changed.IsPrimary && !primary {
			tx.Queue(clearOtherPrimaries, me, changed.ID)
		}
		added, err := photos.Attach(ctx, tx, attach.Owner{ResidenceID: in.ID})
		changed.Images = attach.With(changed.Images, added)
		return err
	})
	if err := photos.Settle(ctx, err); err != nil {
		return nil, err
	}
	return &residenceOutput{changed}, nil
}
