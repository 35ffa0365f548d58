package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/tests/load"
)

const (
	// What was sent is kept until no signed address can send it again, which is a minute more than anybody waits here.
	endWaiting = `UPDATE upload_tombstone SET due_at = now() WHERE due_at BETWEEN now() AND now() + interval '2 minutes'`

	selectLeft = `
SELECT (SELECT count(*) FROM pending_uploads WHERE state = 'pending') AS uploads,
    (SELECT count(*) FROM upload_tombstone) AS tombstones,
    (SELECT count(*) FROM outbox_delivery WHERE state <> 'done') AS events,
    (SELECT count(*) FROM shared_idempotency WHERE created_at < now() - interval '24 hours') AS keys,
    (SELECT count(*) FROM shared_limit WHERE expires_at < now()) AS limits,
    (SELECT count(*) FROM shared_schedule WHERE failed_at IS NOT NULL) AS failures`
)

// left is how much is left of what the sweeper is there for, and how many schedules have ever failed.
type left struct{ Uploads, Tombstones, Events, Keys, Limits, Failures int64 }

// due returns whether most of what came due during the load was swept by its own ticks. What came at the very end may be left.
func (h *house) due(found left) error {
	const whole = 10
	for what, part := range map[string]struct{ left, made int64 }{
		"uploads": {found.Uploads, h.made}, "events": {found.Events, h.made / eachEvent},
		"keys": {found.Keys, h.made * keysEach}, "limits": {found.Limits, h.made * keysEach},
	} {
		if part.left > part.made/whole {
			return fmt.Errorf("the load's own ticks left %d of %d %s", part.left, part.made, what)
		}
	}
	return nil
}

// settle waits until further ticks have left nothing in the database, and looks that in the bucket nothing is but what must stay.
func (h *house) settle(ctx context.Context, at *load.Site) error {
	found, err := look(ctx, at.DB)
	if err == nil {
		err = h.due(found)
	}
	if err != nil {
		return err
	}
	err = load.Eventually(ctx, func(ctx context.Context) error {
		found, err := look(ctx, at.DB)
		if err != nil {
			return err
		}
		if found == (left{}) {
			return nil
		}
		_, err = at.DB.Exec(ctx, endWaiting)
		return errors.Join(fmt.Errorf("there are left %+v", found), err, at.Local.Fire(ctx, "outbox"), at.Local.Fire(ctx, "uploads"))
	})
	if err != nil {
		return err
	}
	stored, err := h.bucket.Keys(ctx, "")
	if err != nil {
		return err
	}
	slices.Sort(h.kept)
	if !slices.Equal(stored, h.kept) {
		return fmt.Errorf("the bucket has %d objects, not the %d that must stay", len(stored), len(h.kept))
	}
	return nil
}

// look counts what is left.
func look(ctx context.Context, db *pgx.Conn) (found left, err error) {
	rows, err := db.Query(ctx, selectLeft)
	if err == nil {
		found, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[left])
	}
	if err != nil {
		return found, fmt.Errorf("look for what is left: %w", err)
	}
	return found, nil
}
