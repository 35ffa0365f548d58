package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/idempotency"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

var selectMediaAccess = `
SELECT m.residence_id, m.user_id, m.role, ` + home.MembersOf("m.residence_id") + ` AS members
FROM upload_media f JOIN residence_member m ON m.residence_id = f.residence_id
WHERE f.id = $1 AND m.user_id = $2`

func (s *service) deleteMedia(ctx context.Context, in *MediaPath) (*struct{}, error) {
	look := func(ctx context.Context) (home.Access, error) { return s.workOn(ctx, selectMediaAccess, in.ID) }
	nothing := func(*pg.Tx, home.Access) error { return nil }
	return nil, s.Homes.Change(ctx, &idempotency.Guard{}, look, nothing, deletedMedia{in.ID})
}

// workOn returns the caller's access to the home of the thing that query finds by id, and refuses who may not work there.
func (s *service) workOn(ctx context.Context, query string, id int64) (home.Access, error) {
	access, err := pg.One[home.Access](ctx, s.DB, query, id, authn.User(ctx).ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return home.Access{}, problem.NotFound()
	}
	if err != nil {
		return home.Access{}, fmt.Errorf("look up access to %d: %w", id, err)
	}
	return access, access.MayWork()
}

// deletedMedia deletes media behind the lock of its home, and tells whether there was any. Its objects are the sweeper's.
type deletedMedia struct{ id int64 }

const deleteMedia = `DELETE FROM upload_media WHERE id = $1`

// Queue asks for the deletion.
func (d deletedMedia) Queue(batch *pgx.Batch) { batch.Queue(deleteMedia, d.id) }

// Read says that media which went meanwhile is not found.
func (d deletedMedia) Read(results pgx.BatchResults) error {
	tag, err := results.Exec()
	if err != nil {
		return fmt.Errorf("delete media %d: %w", d.id, err)
	}
	if tag.RowsAffected() == 0 {
		return problem.NotFound()
	}
	return nil
}
