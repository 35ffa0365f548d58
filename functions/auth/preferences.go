package main

import (
	"slices"

	"github.com/honeydue/backend/shared/notice"
)

// Preferences are what a person wants to hear of, by which channel, and when.
type preferences struct {
	Types                switches `json:"types" doc:"What is told by mail and by push"`
	TaskDueSoonHour      int      `json:"task_due_soon_hour" minimum:"0" maximum:"23" doc:"Hour of the person's day at which they hear of tasks before these are due" example:"9"`
	TaskOverdueHour      int      `json:"task_overdue_hour" minimum:"0" maximum:"23" doc:"The same for tasks that are overdue" example:"9"`
	WarrantyExpiringHour int      `json:"warranty_expiring_hour" minimum:"0" maximum:"23" doc:"The same for warranties that end" example:"9"`
	DailyDigestHour      int      `json:"daily_digest_hour" minimum:"0" maximum:"23" doc:"The same for the daily digest" example:"8"`
	QuietFrom            *string  `json:"quiet_from" doc:"Time of day from which pushes wait, as HH:MM; null: at any time" example:"22:00"`
	QuietTo              *string  `json:"quiet_to" doc:"Time of day until which they wait, on the next day when it is before quiet_from; the same as quiet_from: they never wait" example:"07:00"`
	TimeZone             *string  `json:"time_zone" doc:"The account's IANA time zone, by which all of these go; null: UTC" example:"Europe/Berlin"`
}

// Switches say for each type of message that may be switched off by which channels it comes.
type switches struct {
	TaskAssigned     channels `json:"task_assigned" doc:"A task was given to the person"`
	TaskCompleted    channels `json:"task_completed" doc:"Somebody completed a task of a home of theirs"`
	TaskDueSoon      channels `json:"task_due_soon" doc:"A task is due on that day, or in some days"`
	TaskOverdue      channels `json:"task_overdue" doc:"A task is overdue"`
	ResidenceJoined  channels `json:"residence_joined" doc:"Somebody joined a home of theirs"`
	WarrantyExpiring channels `json:"warranty_expiring" doc:"A warranty ends"`
	DailyDigest      channels `json:"daily_digest" doc:"What is overdue, due this week and about to end, once a day"`
}

type channels struct {
	Email bool `json:"email" example:"true"`
	Push  bool `json:"push" example:"true"`
}

// preferencesRow is how an account keeps them: muted holds what is switched off.
type preferencesRow struct {
	Muted                []string
	TaskDueSoonHour      int
	TaskOverdueHour      int
	WarrantyExpiringHour int
	DailyDigestHour      int
	QuietFrom            *string
	QuietTo              *string
	TimeZone             *string
}

// preferencesColumns are the columns of preferencesRow, of auth_user as u.
const preferencesColumns = `u.muted, u.task_due_soon_hour, u.task_overdue_hour, u.warranty_expiring_hour, u.daily_digest_hour,
    to_char(u.quiet_from, 'HH24:MI') AS quiet_from, to_char(u.quiet_to, 'HH24:MI') AS quiet_to, u.time_zone`

func (r preferencesRow) shown() preferences {
	of := func(typ string) channels {
		return channels{
			Email: !slices.Contains(r.Muted, notice.Mute(typ, notice.Email)),
			Push:  !slices.Contains(r.Muted, notice.Mute(typ, notice.Push)),
		}
	}
	return preferences{
		Types: switches{
			TaskAssigned: of(notice.TaskAssigned), TaskCompleted: of(notice.TaskCompleted), TaskDueSoon: of(notice.TaskDueSoon),
			TaskOverdue: of(notice.TaskOverdue), ResidenceJoined: of(notice.ResidenceJoined),
			WarrantyExpiring: of(notice.WarrantyExpiring), DailyDigest: of(notice.DailyDigest),
		},
		TaskDueSoonHour: r.TaskDueSoonHour, TaskOverdueHour: r.TaskOverdueHour,
		WarrantyExpiringHour: r.WarrantyExpiringHour, DailyDigestHour: r.DailyDigestHour,
		QuietFrom: r.QuietFrom, QuietTo: r.QuietTo, TimeZone: r.TimeZone,
	}
}

type preferencesOutput struct{ Body preferences }
