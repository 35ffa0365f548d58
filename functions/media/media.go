package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/pg"
)

// What follows a photo's key in the keys of its objects.
const (
	partOriginal = "/original"
	partClean    = "/clean"
	partThumb    = "/thumb"
)

// media is a photo that is to be cleaned.
type media struct {
	ID          int64
	ObjectKey   string
	ContentType string
}

const selectUnclean = `
SELECT id, object_key, content_type FROM upload_media WHERE id = $1::bigint AND state = 'cleaning'`

// unclean returns the photo of an upload, or pgx.ErrNoRows where there is nothing to be done about it.
func (s *service) unclean(ctx context.Context, upload int64) (media, error) {
	return pg.One[media](ctx, s.db, selectUnclean, upload)
}

// nothing is the effect of an event whose photo is clean, has failed or is gone.
func nothing(context.Context, pgx.Tx) (func(context.Context), error) { return nil, nil }

const markReady = `
UPDATE upload_media SET state = 'ready', has_thumbnail = $2::boolean WHERE id = $1::bigint AND state = 'cleaning'`

const isReady = `
SELECT EXISTS (SELECT FROM upload_media WHERE id = $1::bigint AND state = 'ready')`

// ready lets members see a photo. If it is gone by now, so is what was made of it.
func (s *service) ready(m media, thumbnail bool) events.Effect {
	return func(ctx context.Context, tx pgx.Tx) (func(context.Context), error) {
		tag, err := tx.Exec(ctx, markReady, m.ID, thumbnail)
		if err != nil {
			return nil, fmt.Errorf("mark photo ready: %w", err)
		}
		if tag.RowsAffected() == 1 {
			return nil, nil
		}
		before, err := pg.Value[bool](ctx, tx, isReady, m.ID)
		if err != nil {
			return nil, fmt.Errorf("look for photo: %w", err)
		}
		if before {
			return nil, nil
		}
		return func(ctx context.Context) { s.remove(ctx, m) }, nil
	}
}

const markFailed = `
UPDATE upload_media SET state = 'failed', reason = $2 WHERE id = $1::bigint AND state = 'cleaning'`

// failed ends a photo that cannot be cleaned: nobody tries again. Its objects go, the original in a week.
func (s *service) failed(m media, found flawError) events.Effect {
	return func(ctx context.Context, tx pgx.Tx) (func(context.Context), error) {
		if _, err := tx.Exec(ctx, markFailed, m.ID, string(found)); err != nil {
			return nil, fmt.Errorf("mark photo failed: %w", err)
		}
		return func(ctx context.Context) {
			s.log.WarnContext(ctx, "photo cannot be cleaned", "upload", m.ID, "reason", string(found))
		}, nil
	}
}
