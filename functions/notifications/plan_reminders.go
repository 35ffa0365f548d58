package main

import (
	"context"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/remind"
)

// Columns of auth_user that hold the hours of people's own clocks at which they are told something.
const (
	dueSoonHour  = "task_due_soon_hour"
	overdueHour  = "task_overdue_hour"
	warrantyHour = "warranty_expiring_hour"
	digestHour   = "daily_digest_hour"
)

// everyChannel carries what people are told at once.
func everyChannel() []string { return []string{channelApp, channelEmail, channelPush} }

// isReminded is a condition: of task t, a member m of its home is reminded. It is theirs when it was given to them, or when it was
// given to nobody and they may work on it; and nobody is at it.
const isReminded = `NOT t.is_cancelled AND NOT t.is_archived AND NOT t.in_progress
    AND (t.assigned_to_id = m.user_id OR t.assigned_to_id IS NULL AND m.role <> 'viewer')`

// tasksOf returns a query of the tasks of people with that hour.
func tasksOf(hours string) string {
	return peopleOf(hours) + `
SELECT p.id AS user_id, p.at, t.id AS subject_id, t.residence_id, t.next_due_on AS due_on, t.every, t.unit, t.recurrence
FROM people p LEFT JOIN LATERAL (
    SELECT t.id, t.residence_id, t.next_due_on, f.every, f.unit, t.recurrence
    FROM residence_member m JOIN task_task t ON t.residence_id = m.residence_id LEFT JOIN task_frequency f ON f.id = t.frequency_id
    WHERE m.user_id = p.id AND ` + isReminded + ` AND t.next_due_on IS NOT NULL
        AND t.next_due_on = ANY (ARRAY(SELECT $6::date + stage FROM unnest($7::int[]) stage))
    OFFSET 0 -- for one person after another, never for all of them
) t ON p.had_account
ORDER BY p.id`
}

// Of a document, everyone who may work in its home is reminded.
var selectWarranties = peopleOf(warrantyHour) + `
SELECT p.id AS user_id, p.at, d.id AS subject_id, d.residence_id, d.warranty_expires_on AS due_on,
    NULL::int AS every, NULL::text AS unit, NULL::jsonb AS recurrence
FROM people p LEFT JOIN LATERAL (
    SELECT d.id, d.residence_id, d.warranty_expires_on
    FROM residence_member m JOIN upload_document d ON d.residence_id = m.residence_id
    WHERE m.user_id = p.id AND m.role <> 'viewer' AND d.warranty_expires_on IS NOT NULL
        AND d.warranty_expires_on = ANY (ARRAY(SELECT $6::date + stage FROM unnest($7::int[]) stage))
    OFFSET 0 -- for one person after another, never for all of them
) d ON p.had_account
ORDER BY p.id`

var reminderPairs = selectPairs(dueSoonHour, overdueHour, warrantyHour)

// atStage returns whether a task has a stage on that day, which depends on its rhythm.
func atStage(c candidate, day date.Date) bool {
	_, ok := remind.Stage(*c.DueOn, day, remind.RhythmOf(c.Recurrence, c.Every, c.Unit))
	return ok
}

// whenFound is for what the query of candidates alone decides.
func whenFound(candidate, date.Date) bool { return true }

// planReminders plans what the schedule reminders asks for by now, as [service.planTick] says.
func (s *service) planReminders(ctx context.Context) (planned int, whole bool, err error) {
	return s.planTick(ctx, "reminders", reminderPairs, reminders())
}

func reminders() []reminding {
	return []reminding{{
		typ: typeDueSoon, hours: dueSoonHour, channels: everyChannel(), subject: "task_id",
		candidates: tasksOf(dueSoonHour), stages: remind.Ahead(), tells: atStage,
	}, {
		typ: typeOverdue, hours: overdueHour, channels: everyChannel(), subject: "task_id",
		candidates: tasksOf(overdueHour), stages: remind.Behind(), tells: atStage,
	}, {
		typ: typeWarranty, hours: warrantyHour, channels: everyChannel(), subject: "document_id",
		candidates: selectWarranties, stages: remind.Warranty(), tells: whenFound,
	}}
}
