package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/honeydue/backend/shared/bucket"
)

const (
	// drainers work at once, each on a batch of its own.
	drainers = 2

	// batchDrained is how many objects are claimed, and then deleted in one request.
	batchDrained = 100

	// claimLife outlives a tick, so that two never delete the same object.
	claimLife = time.Minute
)

const (
	// Neighbours are deleted together, since the bucket finds their versions in one go.
	claimTombstones = `
WITH due AS (
    SELECT object_key FROM upload_tombstone WHERE due_at <= now() ORDER BY object_key LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE upload_tombstone t SET due_at = now() + make_interval(secs => $2::float8)
FROM due WHERE t.object_key = due.object_key
RETURNING t.object_key`

	// What the bucket refused to delete today must not come first at every tick.
	putOffTombstones = `UPDATE upload_tombstone SET due_at = now() + interval '1 day' WHERE object_key = ANY($1::text[])`

	removeTombstones = `DELETE FROM upload_tombstone WHERE object_key = ANY($1::text[])`
)

// errRefused means that the bucket refuses to delete anything.
var errRefused = errors.New("nothing can be deleted")

// unlock says what has to be so that the bucket deletes.
const unlock = "the bucket's key must be allowed to list and delete versions, and nothing may be locked"

// drainTombstones deletes the objects whose tombstones are due, until none is left, the bucket fails or refuses, or its time is over. It
// returns how many. Whoever is killed between an object and its tombstone leaves a key that is not there, which is no error.
func (s *service) drainTombstones(ctx context.Context) (int, error) {
	inTime, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	var removed [drainers]int
	var group errgroup.Group
	for n := range drainers {
		group.Go(func() error {
			// A batch that has begun is finished, so that none is left claimed.
			for inTime.Err() == nil {
				claimed, gone, err := s.drainBatch(ctx)
				removed[n] += gone
				if err != nil {
					cancel()
					return fmt.Errorf("drain tombstones: %w", err)
				}
				if claimed < batchDrained {
					break
				}
			}
			return nil
		})
	}
	err := group.Wait()
	total := 0
	for _, n := range removed {
		total += n
	}
	return total, err
}

// drainBatch returns how many tombstones it claimed and how many objects it deleted.
func (s *service) drainBatch(ctx context.Context) (claimed, removed int, err error) {
	rows, err := s.db.Query(ctx, claimTombstones, batchDrained, claimLife.Seconds())
	if err != nil {
		return 0, 0, fmt.Errorf("claim: %w", err)
	}
	keys, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return 0, 0, fmt.Errorf("claim: %w", err)
	}
	gone, deleteErr := s.discard(ctx, keys)
	if len(gone) > 0 {
		if _, err := s.db.Exec(ctx, removeTombstones, gone); err != nil {
			return len(keys), 0, fmt.Errorf("remove: %w", err)
		}
	}
	if len(gone) < len(keys) && (deleteErr == nil || errors.Is(deleteErr, errRefused)) {
		if _, err := s.db.Exec(ctx, putOffTombstones, keys); err != nil {
			return len(keys), len(gone), fmt.Errorf("put off: %w", err)
		}
	}
	return len(keys), len(gone), deleteErr
}

// discard deletes all versions of the keys and returns those that are gone. What the bucket refuses to delete, say because it is
// locked, would be refused another time as well, and holds nothing back. A bucket that is away is an error, and so is, as
// [errRefused], one that refuses all of several.
func (s *service) discard(ctx context.Context, keys []string) ([]string, error) {
	gone, err := s.deleteObjects(ctx, keys)
	switch {
	case err == nil || bucket.Unavailable(err) || ctx.Err() != nil:
		return gone, err
	case len(gone) == 0 && len(keys) > 1:
		return nil, fmt.Errorf("%w: %w", errRefused, err)
	}
	s.log.WarnContext(ctx, "objects stay: "+unlock, "objects", len(keys)-len(gone), "error", err)
	return gone, nil
}

// deleteObjects deletes all versions of the keys and returns those that are gone, with an error for the others. It finds the
// ones that are refused by halves.
func (s *service) deleteObjects(ctx context.Context, keys []string) ([]string, error) {
	err := s.store.Delete(ctx, keys...)
	if err == nil {
		return keys, nil
	}
	if len(keys) == 1 || bucket.Unavailable(err) || ctx.Err() != nil {
		return nil, err
	}
	half := len(keys) / 2
	first, firstErr := s.deleteObjects(ctx, keys[:half])
	second, secondErr := s.deleteObjects(ctx, keys[half:])
	if firstErr == nil {
		firstErr = secondErr
	}
	return slices.Concat(first, second), firstErr
}
