package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

// sweep publishes what is due, tells what stands, then removes what is old. Each goes on without the others; a time that was too
// short is no error, since the next tick goes on where this one ended.
func (s *service) sweep(ctx context.Context) error {
	relaying, cancel := context.WithTimeout(ctx, relayTimeout)
	defer cancel()
	swept, err := s.relay.Sweep(relaying)
	if relaying.Err() != nil {
		err = nil
	}
	s.tell(ctx)
	removed, removeErr := s.remove(ctx)
	if ctx.Err() != nil {
		removeErr = nil
	}
	s.log.InfoContext(ctx, "outbox swept", "published", swept.Published, "failed", swept.Failed, "removed", removed)
	return errors.Join(err, removeErr)
}

// batchRemoved is how many rows one statement removes, so that none holds its locks for long.
const batchRemoved = 1000

// What is kept for a while, and for how long. A statement removes a batch of $1 rows. A condition that stands twice is
// asked again of a row that was waited for: its owner may have renewed it meanwhile.
const (
	removeIdempotency = `
DELETE FROM shared_idempotency WHERE key_hash IN (
    SELECT key_hash FROM shared_idempotency WHERE created_at < now() - interval '24 hours' ORDER BY created_at LIMIT $1)
    AND created_at < now() - interval '24 hours'`

	removeLimits = `
DELETE FROM shared_limit WHERE key_hash IN (
    SELECT key_hash FROM shared_limit WHERE expires_at < now() ORDER BY expires_at LIMIT $1) AND expires_at < now()`

	removeSessions = `
DELETE FROM auth_session WHERE id IN (
    SELECT id FROM auth_session WHERE expires_at < now() - interval '30 days' ORDER BY expires_at LIMIT $1)`

	// Nobody renews an operator's.
	removeOperatorSessions = `
DELETE FROM admin_session WHERE id IN (
    SELECT id FROM admin_session WHERE expires_at < now() ORDER BY expires_at LIMIT $1)`

	removeCodes = `
DELETE FROM auth_code WHERE id IN (
    SELECT id FROM auth_code WHERE expires_at < now() - interval '30 days' ORDER BY id LIMIT $1)`

	// The longest life of the message that tells a former address is a week.
	removeFormerAddresses = `
DELETE FROM auth_email_change WHERE id IN (
    SELECT id FROM auth_email_change WHERE changed_at < now() - interval '30 days' ORDER BY id LIMIT $1)`

	// Longer than their events are kept, whose second delivery they keep from planning twice.
	removeMessages = `
DELETE FROM notification_message WHERE id IN (
    SELECT id FROM notification_message
    WHERE state IN ('sent', 'dead') AND created_at < now() - interval '90 days' ORDER BY id LIMIT $1)`
)

// remove deletes what is old, and returns how many rows that were.
func (s *service) remove(ctx context.Context) (int, error) {
	total, err := s.relay.Forget(ctx)
	errs := []error{err}
	for _, old := range []struct{ name, sql string }{
		{"idempotency keys", removeIdempotency},
		{"limits", removeLimits},
		{"sessions", removeSessions},
		{"operators' sessions", removeOperatorSessions},
		{"codes", removeCodes},
		{"former addresses", removeFormerAddresses},
		{"messages", removeMessages},
	} {
		n, err := s.removeAll(ctx, old.sql)
		total += n
		if err != nil {
			errs = append(errs, fmt.Errorf("remove %s: %w", old.name, err))
		}
	}
	return total, errors.Join(errs...)
}

// removeAll runs sql until it finds less than a batch, or ctx ends.
func (s *service) removeAll(ctx context.Context, sql string) (int, error) {
	return inBatches(ctx, func() (pgconn.CommandTag, error) { return s.db.Exec(ctx, sql, batchRemoved) })
}

// inBatches calls batch until that finds less than [batchRemoved] rows, or ctx ends, and returns how many it found in all.
func inBatches(ctx context.Context, batch func() (pgconn.CommandTag, error)) (int, error) {
	total := 0
	for ctx.Err() == nil {
		tag, err := batch()
		if err != nil {
			return total, err
		}
		total += int(tag.RowsAffected())
		if tag.RowsAffected() < batchRemoved {
			break
		}
	}
	return total, nil
}
