package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/problem"
)

const (
	giveUp = `UPDATE pending_uploads SET state = 'given_up' WHERE id = $1 AND user_id = $2 AND state = 'pending' AND expires_at > now()`

	isAttached = `
SELECT EXISTS (SELECT FROM pending_uploads p JOIN upload_media f ON f.id = p.id WHERE p.id = $1 AND p.user_id = $2 AND p.state = 'attached')`
)

func (s *service) giveUpUpload(ctx context.Context, in *UploadPath) (*struct{}, error) {
	me := authn.User(ctx).ID
	var given, attached bool
	batch := &pgx.Batch{}
	batch.Queue(giveUp, in.ID, me).Exec(func(tag pgconn.CommandTag) error {
		given = tag.RowsAffected() == 1
		return nil
	})
	// By itself, since the first may have waited for whoever attached it.
	batch.Queue(isAttached, in.ID, me).QueryRow(func(row pgx.Row) error { return row.Scan(&attached) })
	if err := s.DB.SendBatch(ctx, batch); err != nil {
		return nil, fmt.Errorf("give up upload %d: %w", in.ID, err)
	}
	switch {
	case given:
		return nil, nil
	case attached:
		return nil, problem.Conflict("This upload is attached. Delete it as media instead.", nil)
	default:
		return nil, problem.NotFound()
	}
}
