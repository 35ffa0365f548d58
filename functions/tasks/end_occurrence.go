package main

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/patch"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// mayEnd refuses with the task as it is now when nothing is left to end, or something else than the caller saw.
func (s *service) mayEnd(ctx context.Context, now *held, seen patch.Field[date.Date], on date.Date) error {
	switch {
	case !now.open():
		return problem.Conflict("This task is completed, cancelled or archived.", s.show(ctx, now.row))
	case seen.Sent && !same(seen.Value, now.NextDueOn):
		return problem.Conflict("Another date is due by now.", s.show(ctx, now.row))
	// A rhythm from completion may have ended this date and given it once more; twice a day is once too often.
	case seen.Sent && now.EndedOn != nil && *now.EndedOn == on && same(seen.Value, now.EndedOccurrence):
		return problem.Conflict("This date was completed or skipped on the same day.", s.show(ctx, now.row))
	default:
		return nil
	}
}

// An ending is what someone says of the end of an occurrence.
type ending struct {
	kind   kind
	by     int64
	on     date.Date
	notes  *string
	cost   *string
	rating *int
}

// An entry keeps what was due and whether someone was at it, and the date that people had set.
const insertCompletion = `
INSERT INTO task_taskcompletion AS c (task_id, kind, completed_by_id, completed_on, occurrence_on, notes, actual_cost, rating, before_in_progress, before)
VALUES ($1, $2, $3, $4::date, $5::date, $6, $7::numeric, $8::smallint, $9, jsonb_build_object('due_on', $10::date))
RETURNING ` + entryColumns

// write writes the entry, and the task that change makes of the one that is held, in one round trip.
func (e ending) write(ctx context.Context, tx *pg.Tx, now held, change func(now *held)) (added entry, after row, err error) {
	batch := &pgx.Batch{}
	batch.Queue(insertCompletion, now.ID, e.kind, e.by, e.on, now.NextDueOn, e.notes, e.cost, e.rating, now.InProgress, now.DueOn)
	change(&now)
	args, err := updateArgs(now.row)
	if err != nil {
		return entry{}, row{}, err
	}
	batch.Queue(updateTask, args...)
	results := tx.SendBatch(ctx, batch)
	defer func() { err = errors.Join(err, results.Close()) }()
	if added, err = readOne[entry](results); err != nil {
		return entry{}, row{}, err
	}
	after, err = readOne[row](results)
	return added, after, err
}
