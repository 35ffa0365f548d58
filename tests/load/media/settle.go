package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // reads what the function has made
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/tests/load"
)

const selectPhotos = `
SELECT m.object_key, m.state, coalesce(m.reason, '') AS reason, m.has_thumbnail, d.state AS delivery
FROM outbox_event e
JOIN outbox_delivery d ON d.event_id = e.id
JOIN upload_media m ON m.id = (e.data->>'upload_id')::bigint
WHERE e.id = ANY($1::text[]::uuid[])`

// A row is a photo as the function left it.
type row struct {
	ObjectKey, State, Reason string
	HasThumbnail             bool
	Delivery                 string
}

// settle looks that every photo whose event was delivered is ready, and waits until the sweeper has deleted what it was made of.
func (a *album) settle(ctx context.Context, at *load.Site) error {
	begun, err := a.stream.Begun()
	if err != nil {
		return err
	}
	rows, err := at.DB.Query(ctx, selectPhotos, begun)
	if err != nil {
		return fmt.Errorf("look for photos: %w", err)
	}
	photos, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	if err != nil {
		return fmt.Errorf("look for photos: %w", err)
	}
	if len(photos) != len(begun) {
		return fmt.Errorf("there are %d photos of %d", len(photos), len(begun))
	}
	for _, p := range photos {
		if p.State != "ready" || !p.HasThumbnail || p.Delivery != "done" {
			return fmt.Errorf("photo %s is not what it should be: %+v", p.ObjectKey, p)
		}
	}
	if err := at.Local.Fire(ctx, "uploads"); err != nil {
		return fmt.Errorf("tick: %w", err)
	}
	if err := load.Eventually(ctx, func(ctx context.Context) error { return a.stored(ctx, photos) }); err != nil {
		return err
	}
	return a.tellNothing(ctx, photos)
}

// stored looks that the bucket has what members may see of photos, and no original.
func (a *album) stored(ctx context.Context, photos []row) error {
	keys, err := a.bucket.Keys(ctx, "media/")
	if err != nil {
		return err
	}
	missing, left := 0, 0
	for _, p := range photos {
		for part, wanted := range map[string]bool{"/clean": true, "/thumb": true, "/original": false} {
			_, found := slices.BinarySearch(keys, p.ObjectKey+part)
			switch {
			case wanted && !found:
				missing++
			case found && !wanted:
				left++
			}
		}
	}
	if missing > 0 || left > 0 {
		return fmt.Errorf("of %d photos, %d objects are missing and %d originals are left", len(photos), missing, left)
	}
	return nil
}

// tellNothing looks into some of the photos: they are pictures, of which none tells where it was taken.
func (a *album) tellNothing(ctx context.Context, photos []row) error {
	const some, longestSide = 20, 512
	for _, p := range photos[:min(some, len(photos))] {
		for _, part := range []string{"/clean", "/thumb"} {
			file, err := a.bucket.Get(ctx, p.ObjectKey+part)
			if err != nil {
				return err
			}
			picture, _, err := image.DecodeConfig(bytes.NewReader(file))
			if err != nil {
				return fmt.Errorf("decode photo: %w", err)
			}
			if part == "/thumb" && max(picture.Width, picture.Height) != longestSide {
				return fmt.Errorf("a thumbnail has %d by %d pixels", picture.Width, picture.Height)
			}
			if bytes.Contains(file, []byte("GPSLatitude")) || bytes.Contains(file, []byte("Austin")) {
				return errors.New("a photo tells where it was taken")
			}
		}
	}
	return nil
}
