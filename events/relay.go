package events

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// A Relay publishes what is due: events whose first publication failed, whose function was killed
// before it, or whose consumer has not confirmed them. Any number of relays may run at once.
type Relay struct {
	DB        DB
	Publisher Publisher
	Log       *slog.Logger
}

const publishAtOnce = 8

// RelayBatch is how many rows a relay claims at once: two rounds of publishing and noting it, each as slow as
// it may be, end before the lease does.
const RelayBatch = 2 * publishAtOnce

// Swept counts what a sweep did.
type Swept struct {
	Published int // events that the broker took
	Failed    int // events that it did not take; due again at once
}

// Claiming takes a lease, so that two sweeps never publish the same row at once and a killed one holds it
// only for that long. There is no high-water mark: a transaction that commits late is found all the same.
var claimDue = `
WITH ` + NotingTick(3) + `, due AS (
    SELECT event_id, consumer FROM outbox_delivery
    WHERE state = 'pending' AND next_at <= now()
    ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED
), leased AS (
    UPDATE outbox_delivery d SET next_at = now() + make_interval(secs => $2::float8)
    FROM due WHERE d.event_id = due.event_id AND d.consumer = due.consumer
    RETURNING d.event_id
)
SELECT e.id, e.type, e.source, e.subject, e.time, e.data, e.traceparent
FROM outbox_event e WHERE e.id IN (SELECT event_id FROM leased)
ORDER BY e.id`

// Sweep publishes everything that is due, batch after batch, until nothing is left, the broker
// refuses a whole batch, or ctx ends. It is correct at any time and for any number of times.
func (r Relay) Sweep(ctx context.Context) (Swept, error) {
	var total Swept
	for ctx.Err() == nil {
		batch, err := r.claim(ctx)
		if err != nil {
			return total, err
		}
		if len(batch) == 0 {
			break
		}
		published, err := r.publish(ctx, batch)
		total.Published += published
		total.Failed += len(batch) - published
		if err != nil {
			return total, err
		}
		if published == 0 {
			break
		}
	}
	return total, nil
}

func (r Relay) claim(ctx context.Context) ([]Event, error) {
	rows, err := r.DB.Query(ctx, claimDue, RelayBatch, birthLease.Seconds(), TickToNote(ctx))
	if err != nil {
		return nil, fmt.Errorf("claim due events: %w", err)
	}
	events, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Event])
	if err != nil {
		return nil, fmt.Errorf("read due events: %w", err)
	}
	return events, nil
}

// publish sends a batch, a few at a time, and returns how many the broker took.
func (r Relay) publish(ctx context.Context, batch []Event) (int, error) {
	taken := make([]bool, len(batch))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(publishAtOnce)
	for i, e := range batch {
		group.Go(func() error {
			err := r.Publisher.Publish(ctx, e)
			taken[i] = err == nil
			if err != nil {
				r.Log.WarnContext(ctx, "event not published", "event", e.ID, "type", e.Type, "error", err)
			}
			return settle(context.WithoutCancel(ctx), r.DB, e.ID, err == nil)
		})
	}
	err := group.Wait()
	published := 0
	for _, ok := range taken {
		if ok {
			published++
		}
	}
	return published, err
}

const removeConfirmed = `
DELETE FROM outbox_event WHERE id IN (
    SELECT e.id FROM outbox_event e
    WHERE e.time < now() - make_interval(secs => $1::float8)
      AND NOT EXISTS (SELECT 1 FROM outbox_delivery d WHERE d.event_id = e.id AND d.state <> 'done')
    ORDER BY e.time LIMIT $2)`

// Retention is how long a confirmed event is kept. One that is pending or dead stays until it is resolved.
const Retention = 30 * 24 * time.Hour

// Forget removes confirmed events older than the retention, a batch at a time, and returns how many.
func (r Relay) Forget(ctx context.Context) (int, error) {
	const batch = 1000
	removed := 0
	for ctx.Err() == nil {
		tag, err := r.DB.Exec(ctx, removeConfirmed, Retention.Seconds(), batch)
		if err != nil {
			return removed, fmt.Errorf("remove confirmed events: %w", err)
		}
		removed += int(tag.RowsAffected())
		if tag.RowsAffected() < batch {
			break
		}
	}
	return removed, nil
}

// Replay makes the row of one consumer pending again, due at once and under the same id.
// It returns false when there is no such row that is dead or done.
func Replay(ctx context.Context, db DB, id uuid.UUID, consumer string) (bool, error) {
	tag, err := db.Exec(ctx, replayDelivery, id.String(), consumer)
	if err != nil {
		return false, fmt.Errorf("replay event %s: %w", id, err)
	}
	return tag.RowsAffected() == 1, nil
}

const replayDelivery = `
UPDATE outbox_delivery
SET state = 'pending', attempts = 0, publications = 0, next_at = now(), reason = NULL, done_at = NULL
WHERE event_id = $1::uuid AND consumer = $2 AND state IN ('dead', 'done')`
