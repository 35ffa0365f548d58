package main

import (
	"time"

	"github.com/honeydue/backend/shared/attach"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/problem"
	"github.com/honeydue/backend/shared/recur"
)

// A completion is one entry of a task's history as the app sees it.
type completion struct {
	ID            int64         `json:"id" example:"41"`
	TaskID        int64         `json:"task_id" example:"7"`
	Kind          kind          `json:"kind" enum:"completed,skipped,unassigned" doc:"What happened: done, passed without being done, or taken off someone who left the home" example:"completed"`
	CompletedByID *int64        `json:"completed_by_id" doc:"Who did so; null when that person has no account any more" example:"12"`
	UnassignedID  *int64        `json:"unassigned_id" doc:"Whom the task was taken off; null for other kinds, and when that person has no account any more" example:"9"`
	CompletedOn   date.Date     `json:"completed_on" format:"date" doc:"The day, also of skipping" example:"2026-10-29"`
	Occurrence    *date.Date    `json:"occurrence" format:"date" doc:"The date that was due; null when none was" example:"2026-10-31"`
	Notes         *string       `json:"notes" example:"Took an hour"`
	ActualCost    *string       `json:"actual_cost" example:"140.00"`
	Rating        *int          `json:"rating" example:"5"`
	Images        []attach.File `json:"images" nullable:"false"`
	CreatedAt     time.Time     `json:"created_at"`
}

// A kind is what an entry of the history tells.
type kind string

// The kinds of entries. The last one ends nothing, and stays.
const (
	kindCompleted  kind = "completed"
	kindSkipped    kind = "skipped"
	kindUnassigned kind = "unassigned"
)

// An entry is a row of task_taskcompletion.
type entry struct {
	ID            int64
	TaskID        int64
	Kind          kind
	CompletedByID *int64
	UnassignedID  *int64
	CompletedOn   date.Date
	OccurrenceOn  *date.Date
	Notes         *string
	ActualCost    *string
	Rating        *int
	CreatedAt     time.Time
	Images        []attach.File
}

// entryColumns reads an entry from task_taskcompletion under the alias c.
var entryColumns = `c.id, c.task_id, c.kind, c.completed_by_id, c.unassigned_id, c.completed_on, c.occurrence_on, c.notes, c.actual_cost::text AS actual_cost, c.rating, c.created_at,
` + attach.Of("f.completion_id = c.id") + ` AS images`

func (e entry) completion() completion {
	return completion{
		ID: e.ID, TaskID: e.TaskID, Kind: e.Kind, CompletedByID: e.CompletedByID, UnassignedID: e.UnassignedID,
		CompletedOn: e.CompletedOn, Occurrence: e.OccurrenceOn, Notes: e.Notes, ActualCost: e.ActualCost, Rating: e.Rating, Images: e.Images, CreatedAt: e.CreatedAt.UTC(),
	}
}

// complete changes the task as completing it on that day does.
func (h *held) complete(on date.Date) {
	h.NextDueOn = h.following(recur.Completed, on)
	h.InProgress = false
	h.CompletionCount++
	if h.LastCompletedOn == nil || *h.LastCompletedOn < on {
		h.LastCompletedOn = &on
	}
}

// skip changes the task as passing what is due does.
func (h *held) skip(next date.Date) {
	h.NextDueOn = &next
	h.InProgress = false
}

// following returns the date that is due once what is due was completed or skipped on that day, or nil when nothing is any
// more. A rule that counts from completion counts from the last one, also when an earlier one is written up behind it.
func (h *held) following(event recur.Event, on date.Date) *date.Date {
	s := h.series()
	if s.Rule != nil && s.Rule.From == recur.FromCompletion && h.LastCompletedOn != nil {
		on = max(on, *h.LastCompletedOn)
	}
	next, ok := s.Next(event, on)
	if !ok {
		return nil
	}
	return &next
}

// series is the task as far as its dates go.
func (h *held) series() recur.Series {
	rule := h.Recurrence
	if rule == nil && h.Every != nil && h.Unit != nil {
		rule = &recur.Rule{Every: *h.Every, Unit: recur.Unit(*h.Unit)}
	}
	return recur.Series{Rule: rule, Anchor: h.DueOn, Due: h.NextDueOn}
}

// plausible refuses a day of completing that has not come yet, wherever the person may be, and one that nobody remembers.
func plausible(on, today date.Date) error {
	if on > today.AddDays(1) {
		return problem.Invalid("body.completed_on", "expected a date that is not in the future")
	}
	if on < date.Of(1900, time.January, 1) {
		return problem.Invalid("body.completed_on", "expected a date that is not before 1900")
	}
	return nil
}
