package main

import (
	"context"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/pg"
)

func (s *service) deleteDocument(ctx context.Context, in *DocumentPath) (*struct{}, error) {
	none := s.filesOf(authn.User(ctx).ID, nil)
	err := s.workOnDocument(ctx, in.ID, none, func(tx *pg.Tx, stored Document) error {
		tx.Queue(deleteDocument, stored.ID)
		return nil
	})
	return nil, err
}
