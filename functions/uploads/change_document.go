package main

import (
	"context"

	"github.com/honeydue/backend/shared/attach"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/idempotency"
	"github.com/honeydue/backend/shared/pg"
)

type changeDocumentInput struct {
	DocumentPath
	Body DocumentChange
}

func (s *service) changeDocument(ctx context.Context, in *changeDocumentInput) (*documentOutput, error) {
	files := s.filesOf(authn.User(ctx).ID, in.Body.UploadIDs)
	var changed Document
	err := s.workOnDocument(ctx, in.ID, files, func(tx *pg.Tx, stored Document) error {
		if err := files.Fit(len(stored.Files)); err != nil {
			return err
		}
		if err := in.Body.apply(&stored.DocumentFields); err != nil {
			return err
		}
		if err := stored.tidy(); err != nil {
			return err
		}
		var err error
		if changed, err = saveDocument(ctx, tx, stored); err != nil {
			return err
		}
		added, err := files.Attach(ctx, tx, ownedBy(changed))
		changed.Files = attach.With(changed.Files, added)
		return err
	})
	if err := files.Settle(ctx, err); err != nil {
		return nil, err
	}
	return &documentOutput{changed}, nil
}

// workOnDocument runs fn on a document that the caller may change, in the transaction that holds it and has claimed files.
func (s *service) workOnDocument(ctx context.Context, id int64, files *attach.Set, fn func(tx *pg.Tx, stored Document) error) error {
	stored := &heldDocument{Document{ID: id}}
	look := files.Behind(func(ctx context.Context) (home.Access, error) { return s.workOn(ctx, selectDocumentAccess, id) })
	return s.Homes.Change(ctx, &idempotency.Guard{}, look, func(tx *pg.Tx, _ home.Access) error {
		return fn(tx, stored.Document)
	}, stored, files)
}
