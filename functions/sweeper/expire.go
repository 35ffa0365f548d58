package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/honeydue/backend/events"
)

// expirePending ends a batch of $1 uploads that nobody can attach any more. A trigger leaves a tombstone for each object. One that is
// being attached at this moment is left alone.
var expirePending = `
WITH ` + events.NotingTick(2) + `, due AS (
    SELECT id FROM pending_uploads WHERE state = 'pending' AND expires_at < now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE pending_uploads p SET state = 'expired' FROM due WHERE p.id = due.id`

// A day is longer than anybody counts what a person has sent. An attached one ends with what it was attached as: a trigger gives it up.
const forgetEnded = `
DELETE FROM pending_uploads WHERE id IN (
    SELECT id FROM pending_uploads
    WHERE state IN ('expired', 'given_up') AND created_at < now() - interval '1 day' ORDER BY created_at LIMIT $1)`

// expireUploads ends the uploads whose time is over, and returns how many. Each batch is committed before anything is deleted.
func (s *service) expireUploads(ctx context.Context) (int, error) {
	n, err := inBatches(ctx, func() (pgconn.CommandTag, error) {
		return s.db.Exec(ctx, expirePending, batchRemoved, events.TickToNote(ctx))
	})
	if err != nil {
		err = fmt.Errorf("expire uploads: %w", err)
	}
	return n, err
}

// forgetUploads deletes the rows of uploads that have ended and that nobody asks for any more, and returns how many.
func (s *service) forgetUploads(ctx context.Context) (int, error) {
	n, err := s.removeAll(ctx, forgetEnded)
	if err != nil {
		err = fmt.Errorf("forget uploads: %w", err)
	}
	return n, err
}
