package main

import (
	"time"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/problem"
	"github.com/honeydue/backend/shared/recur"
)

// A completion is one entry of a task's history as the app sees it.
type completion struct {
	ID            int64      `json:"id" example:"41"`
	TaskID        int64      `json:"task_id" example:"7"`
	CompletedByID *int64     `json:"completed_by_id" doc:"null when that person has no account any more" example:"12"`
	CompletedOn   date.Date  `json:"completed_on" format:"date" example:"2026-10-29"`
	Occurrence    *date.Date `json:"occurrence" format:"date" doc:"The date that was due; null when none was" example:"2026-10-31"`
	Notes         *string    `json:"notes"`
	ActualCost    *string    `json:"actual_cost" example:"140.00"`
	Rating        *int       `json:"rating" example:"5"`
	Images        []image    `json:"images" nullable:"false"`
	CreatedAt     time.Time  `json:"created_at"`
}

// An image belongs to an entry; its bytes are media of the same id.
type image struct {
	ID          int64  `json:"id"`
	ContentType string `json:"content_type"`
	State       string `json:"state"`
}

// An entry is a row of task_taskcompletion.
type entry struct {
	ID            int64
	TaskID        int64
	CompletedByID *int64
	CompletedOn   date.Date
	OccurrenceOn  *date.Date
	Notes         *string
	ActualCost    *string
	Rating        *int
	CreatedAt     time.Time
}

// entryColumns reads an entry from task_taskcompletion under the alias c.
const entryColumns = `c.id, c.task_id, c.completed_by_id, c.completed_on, c.occurrence_on, c.notes, c.actual_cost::text AS actual_cost, c.rating, c.created_at`

func (e entry) completion() completion {
	return completion{
		ID: e.ID, TaskID: e.TaskID, CompletedByID: e.CompletedByID, CompletedOn: e.CompletedOn, Occurrence: e.OccurrenceOn,
		Notes: e.Notes, ActualCost: e.ActualCost, Rating: e.Rating, Images: []image{}, CreatedAt: e.CreatedAt.UTC(),
	}
}

// complete changes the task as completing it on that day does.
func (h *held) complete(on date.Date) {
	h.NextDueOn = h.following(on)
	h.InProgress = false
	h.CompletionCount++
	if h.LastCompletedOn == nil || *h.LastCompletedOn < on {
		h.LastCompletedOn = &on
	}
}

// following returns the date that is due once what is due was completed on that day, or nil when nothing is any more: the
// first of the rhythm behind the one that was due, which moves on even if it was completed long before or after.
func (h *held) following(on date.Date) *date.Date {
	if h.Every == nil || h.Unit == nil {
		return nil
	}
	anchor, after := on, on
	if h.NextDueOn != nil && (h.DueOn != nil || *h.NextDueOn > on) {
		after = *h.NextDueOn
	}
	if h.DueOn != nil {
		anchor = *h.DueOn
	}
	next, ok := recur.Rhythm{Every: *h.Every, Unit: recur.Unit(*h.Unit)}.Next(anchor, after)
	if !ok {
		return nil
	}
	return &next
}

// notBeyond refuses a day of completing that has not come yet, wherever the person may be.
func notBeyond(on, today date.Date) error {
	if on > today.AddDays(1) {
		return problem.Invalid("body.completed_on", "expected a date that is not in the future")
	}
	return nil
}
