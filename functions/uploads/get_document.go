package main

import (
	"context"

	"github.com/honeydue/backend/shared/authn"
)

// DocumentPath names a document.
type DocumentPath struct {
	ID int64 `path:"id" minimum:"1" example:"31"`
}

type documentOutput struct{ Body Document }

func (s *service) getDocument(ctx context.Context, in *DocumentPath) (*documentOutput, error) {
	found, err := document(ctx, s.DB, authn.User(ctx).ID, in.ID)
	if err != nil {
		return nil, err
	}
	return &documentOutput{found}, nil
}
