package main

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/shared/remind"
)

// A reminder is one that lies ahead of the caller.
type reminder struct {
	At    time.Time `json:"at" doc:"At the caller's hour in the zone of their account, whatever X-Timezone says" example:"2026-10-24T07:00:00Z"`
	Type  string    `json:"type" enum:"task_due_soon,task_overdue" example:"task_due_soon"`
	Stage int       `json:"stage" doc:"Days from then to the one that the task is due; less than 0: since" example:"7"`
}

// shownReminder is a reminder in an answer, or null.
type shownReminder struct{ *reminder }

// MarshalJSON writes the reminder or null.
func (r shownReminder) MarshalJSON() ([]byte, error) { return json.Marshal(r.reminder) }

// UnmarshalJSON reads what MarshalJSON writes.
func (r *shownReminder) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &r.reminder) }

// Schema is that of a reminder, or null.
func (shownReminder) Schema(r huma.Registry) *huma.Schema {
	schema := *huma.SchemaFromType(r, reflect.TypeFor[reminder]())
	schema.Nullable = true
	return &schema
}

// reminder returns the caller's next one after now.
func (r ownRow) reminder(now time.Time) shownReminder {
	if !r.IsMine || r.NextDueOn == nil || r.InProgress || r.IsCancelled || r.IsArchived {
		return shownReminder{}
	}
	zone := time.UTC
	if r.TimeZone != nil {
		zone = remind.Zone(*r.TimeZone)
	}
	rhythm, hours := remind.RhythmOf(r.Recurrence, r.Every, r.Unit), remind.Hours{DueSoon: r.DueSoon, Overdue: r.Overdue}
	next, ok := remind.Next(*r.NextDueOn, rhythm, hours, zone, now)
	if !ok {
		return shownReminder{}
	}
	return shownReminder{&reminder{next.At, remind.Type(next.Stage), next.Stage}}
}
