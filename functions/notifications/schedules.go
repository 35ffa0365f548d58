package main

import (
	"context"
	"fmt"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/pg"
)

// Ids of the schedules in notification_schedule.
const (
	deliveriesID = 1
	remindersID  = 2
	digestsID    = 3
)

// schedules are the sweeps by the name of their PingSource.
func (s *service) schedules() map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"deliveries": func(ctx context.Context) error {
			defer s.tell(ctx)
			return s.sendAllDue(ctx, deliveriesID)
		},
		"reminders": func(ctx context.Context) error { return s.tick(ctx, remindersID) },
		"digests":   func(ctx context.Context) error { return s.tick(ctx, digestsID) },
	}
}

// tick plans what the clock asks for by now, and sends it. A tick that nobody's hour has come at ends with the first query: what
// else is due is for the schedule deliveries.
func (s *service) tick(ctx context.Context, schedule int64) error {
	planned, whole, err := s.planDue(ctx, schedule)
	switch {
	case err != nil || whole && planned == 0:
		return err
	case whole:
		return s.sendAllDue(ctx, schedule)
	default:
		return s.leave(ctx, schedule)
	}
}

// sendAllDue sends all that is due, and leaves what it has no time for.
func (s *service) sendAllDue(ctx context.Context, schedule int64) error {
	more, err := s.sendDue(ctx)
	if err != nil || !more {
		return err
	}
	return s.leave(ctx, schedule)
}

// leave has a schedule go on at once, in a delivery of its own.
func (s *service) leave(ctx context.Context, schedule int64) error {
	return pg.InTx(ctx, s.db, func(tx *pg.Tx) error {
		return s.outbox.Append(ctx, tx, events.MessagesLeft{ScheduleID: schedule})
	})
}

// planDue plans what a schedule asks for by now. whole is false when it had no time for all of it.
func (s *service) planDue(ctx context.Context, schedule int64) (planned int, whole bool, err error) {
	switch schedule {
	case remindersID:
		return s.planReminders(ctx)
	case digestsID:
		return s.planDigests(ctx)
	default:
		return 0, true, nil
	}
}

// goOn is the effect of an event that tells of work left: none but to do it.
func (s *service) goOn(e events.Event) (func(context.Context), error) {
	left, err := events.Decode[events.MessagesLeft](e)
	if err != nil {
		return nil, err
	}
	if left.ScheduleID < deliveriesID || left.ScheduleID > digestsID {
		return nil, events.Permanent(fmt.Errorf("schedule %d is not known", left.ScheduleID))
	}
	return func(ctx context.Context) {
		_, whole, err := s.planDue(ctx, left.ScheduleID)
		if err == nil && whole {
			err = s.sendAllDue(ctx, left.ScheduleID)
		} else if err == nil {
			err = s.leave(ctx, left.ScheduleID)
		}
		if err != nil {
			s.log.WarnContext(ctx, "schedule did not go on; its next tick will", "schedule", left.ScheduleID, "error", err)
		}
	}, nil
}
