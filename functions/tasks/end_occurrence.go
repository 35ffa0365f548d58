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
	case seen.Sent && now.again(on):
		return problem.Conflict("This date was completed or skipped just before.", s.show(ctx, now.row))
	default:
		return nil
	}
}

// again returns whether what is due was ended already and came out the same, as can happen where a rhythm counts from completion
// or waits for its season: whoever saw it before cannot tell. Once the date has come, it is to be done once more.
func (h *held) again(on date.Date) bool {
	return h.series().Rule != nil && h.NextDueOn != nil && same(h.NextDueOn, h.EndedOccurrence) && (on <= *h.EndedOn || on < *h.NextDueOn)
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

// An entry keeps what was due, whether someone was at it, the date that people had set and the rhythm.
var insertCompletion = `
INSERT INTO task_taskcompletion AS c (task_id, kind, completed_by_id, completed_on, occurrence_on, notes, actual_cost, rating, before_in_progress, before)
VALUES ($1, $2, $3, $4::date, $5::date, $6, $7::numeric, $8::smallint, $9, jsonb_build_object('due_on', $10::date, 'frequency_id', $11::bigint, 'recurrence', $12::jsonb))
RETURNING ` + entryColumns

// write writes the entry, and the task that change makes of the one that is held, in one round trip.
func (e ending) write(ctx context.Context, tx *pg.Tx, now held, change func(now *held)) (added entry, after row, err error) {
	rule, err := ruleText(now.Recurrence)
	if err != nil {
		return entry{}, row{}, err
	}
	batch := &pgx.Batch{}
	batch.Queue(insertCompletion, now.ID, e.kind, e.by, e.on, now.NextDueOn, e.notes, e.cost, e.rating, now.InProgress, now.DueOn, now.FrequencyID, rule)
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
