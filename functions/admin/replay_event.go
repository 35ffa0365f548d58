package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

func (s *service) loadUndelivered(ctx context.Context, text string) (undelivered, error) {
	id, consumer, err := readEventID(text)
	if err != nil {
		return undelivered{}, err
	}
	found, err := pg.One[undelivered](ctx, s.DB, undeliveredIn+`d.event_id = $1::uuid AND d.consumer = $2`, id.String(), consumer)
	if errors.Is(err, pgx.ErrNoRows) {
		return undelivered{}, problem.NotFound()
	}
	if err != nil {
		return undelivered{}, fmt.Errorf("look up event %s: %w", id, err)
	}
	return found, nil
}

// Locking the delivery alone leaves the event to those who append to it.
const lockUndelivered = `
SELECT d.state, d.attempts, e.id, e.type, e.source, e.subject, e.time, e.data, e.traceparent
FROM outbox_delivery d JOIN outbox_event e ON e.id = d.event_id
WHERE d.event_id = $1::uuid AND d.consumer = $2 FOR NO KEY UPDATE OF d`

// replayEvent has a function told again of an event that is dead or done for it.
func (s *service) replayEvent(ctx context.Context, in acting) (entry, error) {
	id, consumer, err := readEventID(in.ID)
	if err != nil {
		return entry{}, err
	}
	done := entry{Act: "replay", Subject: eventSubject(id, consumer), After: progress{State: pendingState}}
	err = pg.InTx(ctx, s.DB, func(tx *pg.Tx) error {
		event, was, err := lockedEvent(ctx, tx, id, consumer)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return problem.NotFound()
		case err != nil:
			return fmt.Errorf("lock delivery: %w", err)
		case was.State == pendingState:
			return problem.Conflict("This event is on its way already: it is published again until it is confirmed or dead.", nil)
		}
		done.Before = was
		s.Outbox.Replay(tx, event, consumer)
		return s.record(ctx, tx, operatorOf(ctx).ID, done)
	})
	if err != nil {
		return entry{}, fmt.Errorf("replay event %s: %w", id, err)
	}
	return done, nil
}

func lockedEvent(ctx context.Context, tx *pg.Tx, id uuid.UUID, consumer string) (events.Event, progress, error) {
	type lockedRow struct {
		progress
		events.Event
	}
	found, err := pg.One[lockedRow](ctx, tx, lockUndelivered, id.String(), consumer)
	return found.Event, found.progress, err
}
