// Command media loads function media with photos that people attached. Each event comes once or a few times, and every photo must be
// ready, large and small, with nothing left that tells where it was taken.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/tests/load"
	"github.com/honeydue/backend/tests/story"
)

func main() {
	a := &album{}
	load.Main(load.Test{Function: "media", Inside: true, Rate: 8, P99: time.Second, Mix: a.mix, Settle: a.settle})
}

// An album is a home with its photos.
type album struct {
	person, home int64
	shots        []shot
	bucket       *load.Bucket
	stream       *load.Stream
}

// A shot is a picture that phones take, so many of each.
type shot struct {
	weight  int
	content []byte
}

func (a *album) mix(ctx context.Context, at *load.Site) (next func() load.Call, err error) {
	// What messengers and apps have made smaller is more frequent than what comes straight out of a camera.
	for width, weight := range map[int]int{1280: 4, 2048: 2, 4000: 1} {
		content, err := story.Grainy(width, width*3/4)
		if err != nil {
			return nil, err
		}
		a.shots = append(a.shots, shot{weight, content})
	}
	if a.bucket, err = at.Bucket(); err != nil {
		return nil, err
	}
	if err := at.DB.QueryRow(ctx, insertHome).Scan(&a.person, &a.home); err != nil {
		return nil, fmt.Errorf("insert home: %w", err)
	}
	if a.stream, err = at.Stream(func() ([]events.Event, error) { return a.fill(ctx, at.DB) }); err != nil {
		return nil, err
	}
	return a.stream.Next, nil
}

const (
	insertHome = `
WITH person AS (INSERT INTO auth_user (email, first_name) VALUES ('vera@example.com', 'Vera') RETURNING id)
INSERT INTO residence_residence (name, created_by_id) SELECT 'Lake house', id FROM person RETURNING created_by_id, id`

	insertPhotos = `
WITH sent AS (
    INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, state, expires_at)
    SELECT $1, 'residence_image', 'image/jpeg', $3, 256, 'uploads/' || key, 'attached', now() + interval '15 minutes' FROM unnest($4::text[]) AS key
    RETURNING id, object_key
)
INSERT INTO upload_media (id, residence_id, created_by_id, content_type, object_key, state)
SELECT id, $2, $1, 'image/jpeg', 'media/' || substr(object_key, 9), 'cleaning' FROM sent RETURNING id`
)

// fill attaches a few photos of each size, as function residences does, and returns the events of it.
func (a *album) fill(ctx context.Context, db *pgx.Conn) (told []events.Event, err error) {
	for _, s := range a.shots {
		keys, objects := make([]string, s.weight), make([]string, s.weight)
		for i := range keys {
			keys[i] = rand.Text()
			objects[i] = "media/" + keys[i] + "/original"
		}
		if err := a.bucket.Put(ctx, "image/jpeg", s.content, objects...); err != nil {
			return nil, err
		}
		rows, err := db.Query(ctx, insertPhotos, a.person, a.home, len(s.content), keys)
		if err != nil {
			return nil, fmt.Errorf("insert photos: %w", err)
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return nil, fmt.Errorf("insert photos: %w", err)
		}
		for _, id := range ids {
			e, err := events.New("residences", events.UploadAttached{UploadID: id, ResidenceID: a.home}, time.Now())
			if err != nil {
				return nil, fmt.Errorf("make event: %w", err)
			}
			told = append(told, e)
		}
	}
	return told, load.TellLater(ctx, db, told)
}
