package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
	"github.com/honeydue/backend/shared/recur"
)

type listOccurrencesInput struct {
	ID int64 `path:"id" minimum:"1" example:"7"`
	N  int   `query:"n" minimum:"1" maximum:"100" default:"10" doc:"How many dates at most"`
}

// occurrences is what lies ahead of a task.
type occurrences struct {
	Occurrences      []date.Date `json:"occurrences" nullable:"false" doc:"The date that is due and those that follow if each is completed on its date, or today if that has passed. Empty when nothing is due" example:"[\"2026-10-31\",\"2027-04-30\"]"`
	IfCompletedToday *date.Date  `json:"if_completed_today" format:"date" doc:"What completing today would make due; null for nothing" example:"2027-04-30"`
	IfSkipped        *date.Date  `json:"if_skipped" format:"date" doc:"What skipping today would make due; null when it cannot be skipped" example:"2027-04-30"`
}

type listOccurrencesOutput struct{ Body occurrences }

const selectRhythm = `
SELECT ` + columns + `, f.every, f.unit, NULL::date AS ended_occurrence, NULL::date AS ended_on
FROM task_task t LEFT JOIN task_frequency f ON f.id = t.frequency_id
WHERE t.id = $1 AND EXISTS (SELECT FROM residence_member m WHERE m.residence_id = t.residence_id AND m.user_id = $2)`

func (s *service) listOccurrences(ctx context.Context, in *listOccurrencesInput) (*listOccurrencesOutput, error) {
	found, err := pg.One[held](ctx, s.DB, selectRhythm, in.ID, authn.User(ctx).ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound()
	}
	if err != nil {
		return nil, fmt.Errorf("read rhythm of task %d: %w", in.ID, err)
	}
	if !found.open() {
		return &listOccurrencesOutput{occurrences{Occurrences: []date.Date{}}}, nil
	}
	today := authn.Today(ctx, s.Now())
	return &listOccurrencesOutput{occurrences{
		Occurrences:      found.series().Occurrences(today, in.N),
		IfCompletedToday: found.following(recur.Completed, today),
		IfSkipped:        found.following(recur.Skipped, today),
	}}, nil
}
