package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/notice"
	"github.com/honeydue/backend/shared/patch"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

type changePreferencesInput struct{ Body preferencesChange }

type preferencesChange struct {
	Types                *switchesChange     `json:"types,omitempty" doc:"Only what is to change"`
	TaskDueSoonHour      *int                `json:"task_due_soon_hour,omitempty" minimum:"0" maximum:"23" example:"9"`
	TaskOverdueHour      *int                `json:"task_overdue_hour,omitempty" minimum:"0" maximum:"23" example:"9"`
	WarrantyExpiringHour *int                `json:"warranty_expiring_hour,omitempty" minimum:"0" maximum:"23" example:"9"`
	DailyDigestHour      *int                `json:"daily_digest_hour,omitempty" minimum:"0" maximum:"23" example:"8"`
	QuietFrom            patch.Field[string] `json:"quiet_from,omitempty" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" patternDescription:"a time of day as HH:MM" doc:"Both quiet times or neither are there; null clears" example:"22:00"`
	QuietTo              patch.Field[string] `json:"quiet_to,omitempty" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" patternDescription:"a time of day as HH:MM" example:"07:00"`
	TimeZone             patch.Field[string] `json:"time_zone,omitempty" maxLength:"64" doc:"That of the account; null: UTC" example:"Europe/Berlin"`
}

type switchesChange struct {
	TaskAssigned     *channelsChange `json:"task_assigned,omitempty"`
	TaskCompleted    *channelsChange `json:"task_completed,omitempty"`
	TaskDueSoon      *channelsChange `json:"task_due_soon,omitempty"`
	TaskOverdue      *channelsChange `json:"task_overdue,omitempty"`
	ResidenceJoined  *channelsChange `json:"residence_joined,omitempty"`
	WarrantyExpiring *channelsChange `json:"warranty_expiring,omitempty"`
	DailyDigest      *channelsChange `json:"daily_digest,omitempty"`
}

type channelsChange struct {
	Email *bool `json:"email,omitempty" example:"true"`
	Push  *bool `json:"push,omitempty" example:"false"`
}

// muting returns what the change switches off and what it switches on again.
func (c *switchesChange) muting() (off, on []string) {
	off, on = []string{}, []string{}
	if c == nil {
		return off, on
	}
	for typ, sent := range map[string]*channelsChange{
		notice.TaskAssigned: c.TaskAssigned, notice.TaskCompleted: c.TaskCompleted, notice.TaskDueSoon: c.TaskDueSoon,
		notice.TaskOverdue: c.TaskOverdue, notice.ResidenceJoined: c.ResidenceJoined,
		notice.WarrantyExpiring: c.WarrantyExpiring, notice.DailyDigest: c.DailyDigest,
	} {
		if sent == nil {
			continue
		}
		for channel, wanted := range map[string]*bool{notice.Email: sent.Email, notice.Push: sent.Push} {
			switch {
			case wanted == nil:
			case *wanted:
				on = append(on, notice.Mute(typ, channel))
			default:
				off = append(off, notice.Mute(typ, channel))
			}
		}
	}
	return off, on
}

func (s *service) changePreferences(ctx context.Context, in *changePreferencesInput) (*preferencesOutput, error) {
	b := in.Body
	if err := checkZone(b.TimeZone.Value); err != nil {
		return nil, err
	}
	off, on := b.Types.muting()
	me := authn.User(ctx).ID
	var changed preferencesRow
	err := s.changingZone(ctx, me, b.TimeZone.Sent, func() (err error) {
		changed, err = pg.One[preferencesRow](ctx, s.DB, updatePreferences, me, off, on,
			b.TaskDueSoonHour, b.TaskOverdueHour, b.WarrantyExpiringHour, b.DailyDigestHour,
			b.QuietFrom.Sent, b.QuietFrom.Value, b.QuietTo.Sent, b.QuietTo.Value, b.TimeZone.Sent, b.TimeZone.Value)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("change preferences: %w", signedOut(b.halfQuiet(err)))
	}
	return &preferencesOutput{changed.shown()}, nil
}

// halfQuiet makes a problem of the refusal of one quiet time without the other. It names the one that would be null.
func (c preferencesChange) halfQuiet(err error) error {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.ConstraintName != "auth_user_quiet" {
		return err
	}
	null := "body.quiet_to"
	if c.QuietTo.Value != nil || c.QuietFrom.Sent && c.QuietFrom.Value == nil {
		null = "body.quiet_from"
	}
	return problem.Invalid(null, "expected both quiet times or neither")
}

// mutedAfter is what is switched off of auth_user u once $2 is as well, and $3 no more. It is read from the row as it is when it is
// locked, so that two changes at once leave both.
const mutedAfter = `ARRAY(SELECT m FROM unnest(u.muted || $2::text[]) m WHERE m <> ALL ($3::text[]) GROUP BY m ORDER BY m)`

const updatePreferences = `
UPDATE auth_user u SET
    muted = ` + mutedAfter + `,
    task_due_soon_hour = coalesce($4::smallint, u.task_due_soon_hour),
    task_overdue_hour = coalesce($5::smallint, u.task_overdue_hour),
    warranty_expiring_hour = coalesce($6::smallint, u.warranty_expiring_hour),
    daily_digest_hour = coalesce($7::smallint, u.daily_digest_hour),
    quiet_from = CASE WHEN $8::boolean THEN $9::text::time ELSE u.quiet_from END,
    quiet_to = CASE WHEN $10::boolean THEN $11::text::time ELSE u.quiet_to END,
    time_zone = CASE WHEN $12::boolean THEN $13::text ELSE u.time_zone END,
    updated_at = now()
WHERE u.id = $1
RETURNING ` + preferencesColumns
