package main

import (
	"context"
	"net/http"

	"github.com/honeydue/backend/shared/attach"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/idempotency"
	"github.com/honeydue/backend/shared/pg"
)

type createDocumentInput struct {
	idempotency.Header
	Body NewDocument
}

func (s *service) createDocument(ctx context.Context, in *createDocumentInput) (*idempotency.Answer[Document], error) {
	me := authn.User(ctx).ID
	guard, err := idempotency.New(me, "/api/documents/", in.Header, in.Body)
	if err != nil {
		return nil, err
	}
	if err := in.Body.tidy(); err != nil {
		return nil, err
	}
	files := s.filesOf(me, in.Body.UploadIDs)
	look := files.Behind(func(ctx context.Context) (home.Access, error) {
		return home.OfWorker(ctx, s.DB, me, in.Body.ResidenceID)
	})
	var made Document
	err = s.Homes.Change(ctx, guard, look, func(tx *pg.Tx, _ home.Access) error {
		var err error
		if made, err = addDocument(ctx, tx, me, in.Body); err != nil {
			return err
		}
		if made.Files, err = files.Attach(ctx, tx, ownedBy(made)); err != nil {
			return err
		}
		return guard.Keep(tx, http.StatusCreated, made)
	}, files)
	if err := files.Settle(ctx, err); err != nil {
		return nil, err
	}
	return idempotency.Reply(guard, made)
}

// filesOf returns the uploads of those ids, which must be for a document.
func (s *service) filesOf(person int64, ids []int64) *attach.Set {
	return s.files.New(person, ids, attach.DocumentImage, attach.DocumentFile)
}

func ownedBy(d Document) attach.Owner {
	return attach.Owner{ResidenceID: d.ResidenceID, DocumentID: &d.ID}
}
