package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/notice"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// progress is how far a message or an event has come, before and after an act.
type progress struct {
	State    string `json:"state"`
	Attempts int    `json:"attempts"`
}

const lockDelivery = `SELECT state, attempts FROM notification_message WHERE id = $1 FOR NO KEY UPDATE`

// deliveriesSchedule is the id of the schedule deliveries, as its migration gave it.
const deliveriesSchedule = 1

// retryDelivery has a dead message sent again. Messages are claimed by an event of their own, so that nobody waits for a tick.
func (s *service) retryDelivery(ctx context.Context, in acting) (entry, error) {
	id, err := idOf(in.ID)
	if err != nil {
		return entry{}, err
	}
	var done entry
	err = pg.InTx(ctx, s.DB, func(tx *pg.Tx) error {
		was, err := pg.One[progress](ctx, tx, lockDelivery, id)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return problem.NotFound()
		case err != nil:
			return fmt.Errorf("lock delivery: %w", err)
		case was.State != deadState:
			return problem.Conflict("Only a message that is dead is sent again: this one is "+was.State+".", nil)
		}
		if _, err := notice.Replay(ctx, tx, id); err != nil {
			return err
		}
		if err := s.Outbox.Append(ctx, tx, events.MessagesLeft{ScheduleID: deliveriesSchedule}); err != nil {
			return fmt.Errorf("append event: %w", err)
		}
		done = entry{"retry", subject(deliveries, id), was, progress{State: pendingState}}
		return s.record(ctx, tx, operatorOf(ctx).ID, done)
	})
	if err != nil {
		return entry{}, fmt.Errorf("retry delivery %d: %w", id, err)
	}
	return done, nil
}
