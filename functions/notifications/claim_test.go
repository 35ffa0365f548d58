package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/notice"
)

// Words about all that ben is told of the home.
const (
	bensTasks  = "ben soon|late|spare-soon|spare-late"
	bensPapers = "ben paper|spare-paper"
	bensDay    = "ben day"
)

// A reminder is planned at its hour, and judged when it is sent: each case changes what some of them tell, and the others are sent.
func TestRemindersOfWhatIsNotTrueAnyMore(t *testing.T) {
	t.Parallel()
	const (
		anna, ben = `(SELECT id FROM auth_user WHERE first_name = 'Anna')`, `(SELECT id FROM auth_user WHERE first_name = 'Ben')`
		things    = ` WHERE title IN ('soon', 'late')`
	)
	for name, c := range map[string]struct {
		change string
		others map[string]string // what is not sent, as [planned.check] has it
	}{
		"nothing happened": {`SELECT`, nil},
		"due another day": {
			`UPDATE task_task SET next_due_on = next_due_on + 1` + things, map[string]string{"soon|late": "dead 0 the task is due another day"},
		},
		"skipped": {
			`UPDATE task_task SET next_due_on = next_due_on + interval '1 year'` + things,
			map[string]string{"soon|late": "dead 0 the task is due another day"},
		},
		"completed for good": {
			`UPDATE task_task SET next_due_on = NULL, completion_count = 1` + things,
			map[string]string{"soon|late": "dead 0 the task is due another day"},
		},
		"in progress": {`UPDATE task_task SET in_progress = true` + things, map[string]string{"soon|late": "dead 0 somebody is at the task"}},
		"cancelled":   {`UPDATE task_task SET is_cancelled = true` + things, map[string]string{"soon|late": "dead 0 the task is not open any more"}},
		"archived":    {`UPDATE task_task SET is_archived = true` + things, map[string]string{"soon|late": "dead 0 the task is not open any more"}},
		"task gone":   {`DELETE FROM task_task` + things, map[string]string{"soon|late": "dead 0 the task is gone"}},
		"given to somebody else": {
			`UPDATE task_task SET assigned_to_id = ` + anna + things, map[string]string{"ben soon|late": "dead 0 the task is assigned to somebody else"},
		},
		"made a viewer": {`UPDATE residence_member SET role = 'viewer' WHERE user_id = ` + ben, map[string]string{
			bensTasks: "dead 0 this person only looks on", bensPapers: "dead 0 this person only looks on", bensDay: "dead 1 nothing is left to tell",
		}},
		"made a viewer who was given a task": {
			`WITH viewer AS (UPDATE residence_member SET role = 'viewer' WHERE user_id = ` + ben + `)
				UPDATE task_task SET assigned_to_id = ` + ben + ` WHERE title = 'soon'`,
			map[string]string{
				"anna soon": "dead 0 the task is assigned to somebody else", "ben late|spare-soon|spare-late": "dead 0 this person only looks on",
				bensPapers: "dead 0 this person only looks on", bensDay: "dead 1 nothing is left to tell",
			},
		},
		"left the home": {`DELETE FROM residence_member WHERE user_id = ` + ben, map[string]string{
			bensTasks: "dead 0 this person is not a member any more", bensPapers: "dead 0 this person is not a member any more",
			bensDay: "dead 1 nothing is left to tell",
		}},
		"warranty ends another day": {
			`UPDATE upload_document SET warranty_expires_on = warranty_expires_on + 1 WHERE title = 'paper'`,
			map[string]string{"paper": "dead 0 the warranty ends another day"},
		},
		"no warranty after all": {
			`UPDATE upload_document SET warranty_expires_on = NULL WHERE title = 'paper'`,
			map[string]string{"paper": "dead 0 the warranty ends another day"},
		},
		"document gone": {`DELETE FROM upload_document WHERE title = 'paper'`, map[string]string{"paper": "dead 0 the document is gone"}},
		"nothing is left of a day": {
			`WITH gone AS (DELETE FROM upload_document) UPDATE task_task SET assigned_to_id = ` + anna,
			map[string]string{
				bensTasks: "dead 0 the task is assigned to somebody else", "paper|spare-paper": "dead 0 the document is gone",
				bensDay: "dead 1 nothing is left to tell",
			},
		},
		"device gone": {`DELETE FROM auth_device WHERE user_id = ` + ben, map[string]string{"ben push": "dead 0 no device is left"}},
		"signed out":  {`DELETE FROM auth_session WHERE user_id = ` + ben, map[string]string{"ben push": "dead 0 no device is left"}},
		"session ended": {
			`UPDATE auth_session SET expires_at = now() WHERE user_id = ` + ben, map[string]string{"ben push": "dead 0 no device is left"},
		},
		"address no longer verified": {
			`UPDATE auth_user SET email_verified_at = NULL WHERE id = ` + ben, map[string]string{"ben email": "dead 0 the address is not verified"},
		},
		"account disabled": {
			`UPDATE auth_user SET disabled_at = now() WHERE id = ` + ben, map[string]string{"ben": "dead 0 this account is disabled"},
		},
		"expired": {`UPDATE notification_message SET expires_at = now() WHERE user_id = ` + ben, map[string]string{"ben": "dead 0 expired"}},
		// On, in a zone where it is the same day.
		"moved to another zone": {
			`UPDATE auth_user SET time_zone = CASE WHEN task_due_soon_hour < 12 THEN 'Africa/Nairobi' ELSE 'America/Sao_Paulo' END`, nil,
		},
		"told at another hour from now on": {
			`UPDATE auth_user SET task_due_soon_hour = (task_due_soon_hour + 3) % 24, daily_digest_hour = (daily_digest_hour + 3) % 24`, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlanned(t)
			names := p.remember(t)
			p.Exec(t, c.change)
			p.check(t, names, c.others)
		})
	}
}

func TestRemindersThatSomebodySwitchedOff(t *testing.T) {
	t.Parallel()
	for typ, words := range map[string]string{
		notice.TaskDueSoon: "ben soon|spare-soon", notice.TaskOverdue: "ben late|spare-late",
		notice.WarrantyExpiring: bensPapers, notice.DailyDigest: bensDay,
	} {
		for _, channel := range []string{channelEmail, channelPush} {
			t.Run(typ+"."+channel, func(t *testing.T) {
				t.Parallel()
				p := newPlanned(t)
				p.Exec(t, `UPDATE auth_user SET muted = ARRAY[$2::text] WHERE id = $1`, p.ben.ID, typ+"."+channel)
				p.check(t, p.remember(t), map[string]string{words + " " + channel: "dead 0 this person has switched it off"})
			})
		}
	}
}

// A phone is left alone in its person's quiet hours, and told when they end.
func TestRemindersInQuietHours(t *testing.T) {
	t.Parallel()
	p := newPlanned(t)
	names := p.remember(t)
	const clocks = "15:04"
	p.Exec(t, `UPDATE auth_user SET quiet_from = $2::time, quiet_to = $3::time WHERE id = $1`,
		p.ben.ID, p.hour.Add(-time.Hour).Format(clocks), p.hour.Add(90*time.Minute).Format(clocks))
	p.check(t, names, map[string]string{"ben push": "pending 0 quiet hours"})
	require.True(t, functiontest.Value[bool](t, p.Server, `
		SELECT bool_and(next_at - claimed_at BETWEEN interval '90 minutes' AND interval '91 minutes')
		FROM notification_message WHERE state = 'pending'`))

	awake := p.hour.Add(90 * time.Minute)
	p.service.now = func() time.Time { return awake }
	p.due(t)
	p.tick(t)
	want := everything("sent 1")
	if awake.Day() != p.hour.Day() {
		want["ben day push"] = "dead 1 its day is over"
	}
	require.Equal(t, want, p.outcomes(t, names))
}

// A digest is of its day, by its person's clock: once that is over, the next one says what is left of it.
func TestADigestEndsWithItsDay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before time.Duration // midnight in UTC
		others map[string]string
	}{
		"at its last second":   {time.Second, nil},
		"when the next begins": {0, map[string]string{bensDay: "dead 1 its day is over"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlanned(t)
			p.Exec(t, `UPDATE auth_user SET time_zone = 'Atlantic/Cape_Verde' WHERE id = $1`, p.anna.ID) // an hour behind
			at := p.hour.Truncate(24 * time.Hour).Add(24*time.Hour - c.before)
			p.service.now = func() time.Time { return at }
			p.check(t, p.remember(t), c.others)
		})
	}
}
