package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/tests/load"
)

const (
	// How many uploads and objects come due in a second of the load, and at most in all of it: each has to be stored first.
	aSecond = 80
	most    = 6000

	eachEvent  = 2  // so many uploads for an event that is due
	keysEach   = 3  // so many old keys, and as many limits, for an upload
	keptPhotos = 50 // that nobody may touch
)

// A house is what the sweeper is there for.
type house struct {
	bucket *load.Bucket
	kept   []string // keys of objects
	made   int64    // uploads, and as many tombstones
}

const (
	insertPerson = `INSERT INTO auth_user (email, first_name) VALUES ('vera@example.com', 'Vera') RETURNING id`

	// Their time is over one after the other, within $3 seconds from now.
	insertUploads = `
INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, created_at, expires_at)
SELECT $1, 'completion_image', 'image/jpeg', 1000, 256, key, now() - interval '15 minutes',
    now() + make_interval(secs => $3::float8 * n / cardinality($2::text[]))
FROM unnest($2::text[]) WITH ORDINALITY AS k (key, n)`

	insertTombstones = `
INSERT INTO upload_tombstone (object_key, due_at)
SELECT key, now() + make_interval(secs => $2::float8 * n / cardinality($1::text[])) FROM unnest($1::text[]) WITH ORDINALITY AS k (key, n)`

	insertIdempotency = `
INSERT INTO shared_idempotency (key_hash, body_hash, status, answer, created_at)
SELECT sha256(('key ' || n)::bytea), sha256('body'), 201, '{}', now() - interval '24 hours' + make_interval(secs => $2::float8 * n / $1::int)
FROM generate_series(1, $1::int) AS n`

	insertLimits = `
INSERT INTO shared_limit (key_hash, hits, granted, expires_at)
SELECT sha256(('limit ' || n)::bytea), ARRAY[now()], true, now() + make_interval(secs => $2::float8 * n / $1::int)
FROM generate_series(1, $1::int) AS n`

	insertKept = `
WITH home AS (
    INSERT INTO residence_residence (name, created_by_id) VALUES ('Lake house', $1) RETURNING id
), sent AS (
    INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, state, expires_at)
    SELECT $1, 'residence_image', 'image/jpeg', 1000, 256, 'uploads/' || key, 'attached', now() FROM unnest($2::text[]) AS key
    RETURNING id, object_key
)
INSERT INTO upload_media (id, residence_id, content_type, object_key, state, has_thumbnail)
SELECT sent.id, home.id, 'image/jpeg', 'media/' || substr(object_key, 9), 'ready', true FROM sent, home`
)

// fill makes all that comes due while the load lasts, and photos that must stay.
func (h *house) fill(ctx context.Context, at *load.Site) (err error) {
	if h.bucket, err = at.Bucket(); err != nil {
		return err
	}
	span := at.Duration.Seconds()
	n := min(most, int(aSecond*span)+1)
	h.made = int64(n)
	uploads, tombstones, photos := make([]string, n), make([]string, n), make([]string, keptPhotos)
	for i := range n {
		uploads[i], tombstones[i] = "uploads/"+rand.Text(), "media/"+rand.Text()+"/original"
	}
	for i := range photos {
		photos[i] = rand.Text()
		h.kept = append(h.kept, "media/"+photos[i]+"/clean", "media/"+photos[i]+"/thumb")
	}
	for _, keys := range [][]string{uploads, tombstones, h.kept} {
		if err := h.bucket.Put(ctx, "image/jpeg", make([]byte, 1000), keys...); err != nil {
			return err
		}
	}
	var person int64
	if err := at.DB.QueryRow(ctx, insertPerson).Scan(&person); err != nil {
		return fmt.Errorf("insert person: %w", err)
	}
	for _, step := range []struct {
		what, sql string
		args      []any
	}{
		{"photos", insertKept, []any{person, photos}},
		{"uploads", insertUploads, []any{person, uploads, span}},
		{"tombstones", insertTombstones, []any{tombstones, span}},
		{"idempotency keys", insertIdempotency, []any{n * keysEach, span}},
		{"limits", insertLimits, []any{n * keysEach, span}},
	} {
		if _, err := at.DB.Exec(ctx, step.sql, step.args...); err != nil {
			return fmt.Errorf("insert %s: %w", step.what, err)
		}
	}
	return h.tell(ctx, at, n/eachEvent)
}

// tell writes events that come due one after the other. They are of photos that are gone, so that function media has nothing to do but
// to hear of them.
func (h *house) tell(ctx context.Context, at *load.Site, n int) error {
	told, due, now := make([]events.Event, n), make([]time.Time, n), time.Now()
	for i := range told {
		var err error
		if told[i], err = events.New("uploads", events.UploadAttached{UploadID: int64(1_000_000_000 + i), ResidenceID: 1}, now); err != nil {
			return fmt.Errorf("make event: %w", err)
		}
		due[i] = now.Add(at.Duration * time.Duration(i) / time.Duration(n))
	}
	return load.Tell(ctx, at.DB, told, due)
}
