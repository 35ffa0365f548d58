package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/notice"
	"github.com/honeydue/backend/shared/problem"
)

func (b *bundle) preferences(t *testing.T, token string) preferences {
	t.Helper()
	return functiontest.Read[preferences](t, b.Call(t, "GET", notices+"preferences/", token, nil), 200)
}

func (b *bundle) prefer(t *testing.T, token, body string) preferences {
	t.Helper()
	return functiontest.Read[preferences](t, b.Call(t, "PATCH", notices+"preferences/", token, body), 200)
}

func TestPreferences(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann, bob := b.person(t, "ann"), b.person(t, "bob")
	both := channels{Email: true, Push: true}
	untouched := preferences{
		Types:           switches{both, both, both, both, both, both, channels{Email: true}},
		TaskDueSoonHour: 9, TaskOverdueHour: 9, WarrantyExpiringHour: 9, DailyDigestHour: 8,
	}
	want := untouched
	require.Equal(t, want, b.preferences(t, ann.Token))
	for _, step := range []struct {
		body string
		then func(p *preferences)
	}{
		{`{}`, func(*preferences) {}},
		{`{"types": {}}`, func(*preferences) {}},
		{`{"types": {"task_overdue": {}}}`, func(*preferences) {}},
		{`{"types": {"task_overdue": {"push": false}}}`, func(p *preferences) { p.Types.TaskOverdue.Push = false }},
		{`{"types": {"task_overdue": {"push": false, "email": false}, "daily_digest": {"push": true}}}`, func(p *preferences) {
			p.Types.TaskOverdue.Email, p.Types.DailyDigest.Push = false, true
		}},
		{`{"types": {"task_overdue": {"email": true}, "residence_joined": {"email": false}}}`, func(p *preferences) {
			p.Types.TaskOverdue.Email, p.Types.ResidenceJoined.Email = true, false
		}},
		{`{"task_due_soon_hour": 0, "daily_digest_hour": 23}`, func(p *preferences) { p.TaskDueSoonHour, p.DailyDigestHour = 0, 23 }},
		{`{"task_overdue_hour": 7, "warranty_expiring_hour": 12, "daily_digest_hour": null}`, func(p *preferences) { p.TaskOverdueHour, p.WarrantyExpiringHour = 7, 12 }},
		{`{"quiet_from": "22:00", "quiet_to": "07:30"}`, func(p *preferences) { p.QuietFrom, p.QuietTo = new("22:00"), new("07:30") }},
		{`{"quiet_from": "23:59"}`, func(p *preferences) { p.QuietFrom = new("23:59") }},
		{`{"quiet_from": null, "quiet_to": null}`, func(p *preferences) { p.QuietFrom, p.QuietTo = nil, nil }},
		{`{"time_zone": "Asia/Kathmandu"}`, func(p *preferences) { p.TimeZone = new("Asia/Kathmandu") }},
	} {
		step.then(&want)
		require.Equal(t, want, b.prefer(t, ann.Token, step.body), step.body)
		require.Equal(t, want, b.preferences(t, ann.Token), step.body)
	}
	require.Equal(t, "Asia/Kathmandu", *functiontest.Read[user](t, b.get(t, "me/", ann.Token), 200).TimeZone, "it is the account's")
	require.Equal(t, untouched, b.preferences(t, bob.Token))
	require.Equal(t, []string{"residence_joined.email", "task_overdue.push"}, functiontest.Value[[]string](t, b.Server, `SELECT muted FROM auth_user WHERE id = $1`, ann.ID))
}

// Every type that may be switched off is among the preferences, by every channel that may be.
func TestPreferencesHaveAllTypes(t *testing.T) {
	t.Parallel()
	encoded, err := json.Marshal(preferencesRow{}.shown())
	require.NoError(t, err)
	var shown struct{ Types map[string]map[string]bool }
	require.NoError(t, json.Unmarshal(encoded, &shown))
	require.ElementsMatch(t, notice.Switchable(), slices.Collect(maps.Keys(shown.Types)))

	var change preferencesChange
	want := []string{}
	for typ, of := range shown.Types {
		for channel := range of {
			of[channel] = false
			want = append(want, notice.Mute(typ, channel))
		}
	}
	encoded, err = json.Marshal(shown.Types)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(encoded, &change.Types))
	off, on := change.Types.muting()
	require.ElementsMatch(t, want, off)
	require.Empty(t, on)
	hidden := preferencesRow{Muted: want}.shown()
	require.Equal(t, switches{}, hidden.Types)
}

func TestBadPreferences(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann := b.person(t, "ann")
	before := b.preferences(t, ann.Token)
	bad := map[string]string{
		`{"types": {"secret": {"email": true}}}`:                  "body.types",
		`{"types": {"security": {"email": false}}}`:               "body.types",
		`{"types": {"task_overdue": {"app": false}}}`:             "body.types.task_overdue",
		`{"types": {"task_overdue": {"email": "secret"}}}`:        "body.types.task_overdue.email",
		`{"types": {"task_overdue": true}}`:                       "body.types.task_overdue",
		`{"types": "secret"}`:                                     "body.types",
		`{"task_due_soon_hour": 24}`:                              "body.task_due_soon_hour",
		`{"task_overdue_hour": -1}`:                               "body.task_overdue_hour",
		`{"daily_digest_hour": 8.5}`:                              "body.daily_digest_hour",
		`{"warranty_expiring_hour": "9"}`:                         "body.warranty_expiring_hour",
		`{"quiet_from": "24:00", "quiet_to": "07:00"}`:            "body.quiet_from",
		`{"quiet_from": "22:00", "quiet_to": "7:00"}`:             "body.quiet_to",
		`{"quiet_from": "22:00:00", "quiet_to": "07:00"}`:         "body.quiet_from",
		`{"quiet_from": "22:00\n", "quiet_to": "07:00"}`:          "body.quiet_from",
		`{"quiet_from": "22:00"}`:                                 "body.quiet_to",
		`{"quiet_to": "07:00"}`:                                   "body.quiet_from",
		`{"quiet_from": "22:00", "quiet_to": null}`:               "body.quiet_to",
		`{"quiet_from": null, "quiet_to": "07:00"}`:               "body.quiet_from",
		`{"task_overdue_hour": 7, "time_zone": "Secret/Nowhere"}`: "body.time_zone",
		`{"time_zone": ""}`:                                       "body.time_zone",
		`{"muted": []}`:                                           "body",
	}
	for body, location := range bad {
		r := b.Call(t, "PATCH", notices+"preferences/", ann.Token, body)
		require.Equal(t, location, functiontest.Read[problem.Problem](t, r, 422).Errors[0].Location, "%s: %s", body, r.Body)
		require.NotContains(t, string(r.Body), "ecret")
	}
	require.Equal(t, before, b.preferences(t, ann.Token))
	b.prefer(t, ann.Token, `{"quiet_from": "22:00", "quiet_to": "07:00"}`)
	for body, location := range map[string]string{`{"quiet_from": null}`: "body.quiet_from", `{"quiet_to": null}`: "body.quiet_to"} {
		r := b.Call(t, "PATCH", notices+"preferences/", ann.Token, body)
		require.Equal(t, location, functiontest.Read[problem.Problem](t, r, 422).Errors[0].Location, body)
	}
}

// Two phones that switch different things at the same moment both get what they asked for.
func TestPreferencesAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann := b.person(t, "ann")
	for range 10 {
		b.Exec(t, `UPDATE auth_user SET muted = '{}', task_overdue_hour = 9 WHERE id = $1`, ann.ID)
		statuses := functiontest.AtOnce(t, []string{
			`{"types": {"task_overdue": {"push": false}}}`, `{"types": {"task_overdue": {"email": false}}}`,
			`{"types": {"task_assigned": {"push": false}}}`, `{"task_overdue_hour": 6}`, `{"quiet_from": "21:00", "quiet_to": "06:00"}`,
		}, func(body string) (functiontest.Response, error) {
			return b.Try(http.MethodPatch, notices+"preferences/", ann.Token, body)
		})
		for _, status := range statuses {
			require.Equal(t, 200, status)
		}
		now := b.preferences(t, ann.Token)
		require.Equal(t, channels{}, now.Types.TaskOverdue)
		require.Equal(t, channels{Email: true}, now.Types.TaskAssigned)
		require.Equal(t, 6, now.TaskOverdueHour)
		require.Equal(t, "21:00", *now.QuietFrom)
	}
}

// The zone is that of the account: tokens that were looked up before know the new one at once.
func TestPreferredZoneForgetsLookups(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann := b.person(t, "ann")
	b.cached(t, ann.Token)
	b.prefer(t, ann.Token, `{"task_overdue_hour": 7}`)
	b.cached(t, ann.Token)
	b.prefer(t, ann.Token, `{"time_zone": "Asia/Tokyo"}`)
	found, _ := b.Base.Cache.Token(t.Context(), hashOf(ann.Token))
	require.Nil(t, found)
}
