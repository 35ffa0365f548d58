package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/problem"
)

// What one person may ask for.
const (
	perHour = 50 // addresses, whatever became of them
	atATime = 10 // that wait for being attached
)

// A pending upload is what a signed address lets somebody send.
type pending struct {
	NewUpload
	key       string
	slack     int
	expiresAt time.Time
}

// Each person's requests take turns, so that the limits hold. The second statement sees what the first one waited for.
const (
	presignTurn = `SELECT pg_advisory_xact_lock(hashtextextended('pending_uploads of ' || $1::bigint, 0))`

	// Nothing waits for an hour, so that the rows of an hour are all that count.
	insertPending = `
WITH asked AS (
    SELECT count(*) AS made, min(created_at) AS first_made,
        count(*) FILTER (WHERE waits) AS waiting, min(expires_at) FILTER (WHERE waits) AS first_over
    FROM (
        SELECT created_at, expires_at, state = 'pending' AND expires_at > now() AS waits
        FROM pending_uploads WHERE user_id = $1::bigint AND created_at > now() - interval '1 hour'
    ) recent
), added AS (
    INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, filename, object_key, expires_at)
    SELECT $1::bigint, $2::text, $3::text, $4::bigint, $5::integer, $6::text, $7::text, $8::timestamptz
    FROM asked WHERE made < $9::integer AND waiting < $10::integer
    RETURNING id
)
SELECT (SELECT id FROM added), made >= $9::integer,
    coalesce(extract(epoch FROM CASE WHEN made >= $9::integer THEN first_made + interval '1 hour' ELSE first_over END - now())::float8, 0)
FROM asked`
)

// addPending adds an upload of person's and returns its id, in one round trip. It refuses what is over a limit, and says when
// there is room.
func (s *service) addPending(ctx context.Context, person int64, p pending) (int64, error) {
	var id *int64
	var full bool
	var seconds float64
	batch := &pgx.Batch{}
	batch.Queue(presignTurn, person)
	batch.Queue(insertPending, person, p.Category, p.ContentType, p.ContentLength, p.slack, baseName(p.Filename), p.key, p.expiresAt, perHour, atATime).
		QueryRow(func(row pgx.Row) error { return row.Scan(&id, &full, &seconds) })
	if err := s.DB.SendBatch(ctx, batch); err != nil {
		return 0, fmt.Errorf("add pending upload: %w", err)
	}
	after := time.Duration(seconds * float64(time.Second))
	switch {
	case id != nil:
		return *id, nil
	case full:
		return 0, problem.TooMany(fmt.Sprintf("A person may ask for %d addresses an hour.", perHour), after)
	default:
		return 0, problem.TooMany(fmt.Sprintf("%d uploads wait for being attached. Attach them, or give up what is not needed.", atATime), after)
	}
}
