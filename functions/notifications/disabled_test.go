package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/function/functiontest"
)

func (b *bundle) disable(t *testing.T, id int64) {
	t.Helper()
	b.Exec(t, `UPDATE auth_user SET disabled_at = now() WHERE id = $1`, id)
}

// told returns whom messages were planned for, and how many.
func (b *bundle) told(t *testing.T) map[int64]int {
	t.Helper()
	return functiontest.Value[map[int64]int](t, b.Server, `
		SELECT coalesce(json_object_agg(user_id, n), '{}') FROM (SELECT user_id, count(*) AS n FROM notification_message GROUP BY user_id) told`)
}

// Whose account is disabled is told nothing of what happens, not in the app's list either.
func TestNoNewsForADisabledAccount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.disable(t, b.ben.ID)
	b.done(t, b.assigned(t))
	require.Empty(t, b.told(t))
	b.disable(t, b.cleo.ID)
	b.done(t, b.completed(t))
	require.Equal(t, map[int64]int{b.anna.ID: 2}, b.told(t))
	require.Equal(t, "sent 1", b.row(t))
}

// What is about the account itself is told all the same, but a code with which nobody gets in.
func TestMailsAboutADisabledAccount(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data    func(b *bundle) events.Data
		outcome string
	}{
		"a code for a new password": {func(b *bundle) events.Data {
			id, _ := b.code(t, b.ben, "reset_password", nil)
			return events.UserPasswordResetRequested{UserID: b.ben.ID, CodeID: id}
		}, "sent 1"},
		"a password that changed": {func(b *bundle) events.Data { return events.UserPasswordChanged{UserID: b.ben.ID} }, "sent 1"},
		"a code for an address": {func(b *bundle) events.Data {
			id, _ := b.code(t, b.ben, "verify_email", nil)
			return events.UserVerificationRequested{UserID: b.ben.ID, CodeID: id}
		}, "dead 0 this account is disabled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.disable(t, b.ben.ID)
			b.done(t, happen(t, b.auth, c.data(b)))
			require.Equal(t, c.outcome, b.row(t))
		})
	}
}

// Planning leaves them out, whatever their hour; what was planned before is for claiming to judge.
func TestNoDaysForADisabledAccount(t *testing.T) {
	t.Parallel()
	k := newTickerAt(t, nine)
	k.crew(t, 3)
	k.Exec(t, `UPDATE auth_user SET disabled_at = $1 WHERE id = (SELECT min(id) FROM auth_user)`, nine.Add(-time.Hour))
	k.Exec(t, `UPDATE auth_user SET daily_digest_hour = 9`)
	require.Equal(t, 4, k.tick(t, "reminders"))
	require.Equal(t, 2, k.tick(t, "digests"))
	require.Zero(t, functiontest.Value[int](t, k.Server, `
		SELECT count(*) FROM notification_message JOIN auth_user u ON u.id = user_id WHERE u.disabled_at IS NOT NULL`))

	// Nothing is caught up with.
	k.Exec(t, `UPDATE auth_user SET disabled_at = NULL`)
	k.now = nine.Add(15 * time.Minute)
	require.Zero(t, k.tick(t, "reminders")+k.tick(t, "digests"))
}

func TestAccountThatIsDisabledWhileATickPlans(t *testing.T) {
	t.Parallel()
	k := newTickerAt(t, nine)
	k.crew(t, 3)
	all := reminders()
	for i, r := range all {
		all[i].tells = func(c candidate, day date.Date) bool {
			k.Exec(t, `UPDATE auth_user SET disabled_at = now() WHERE id = (SELECT max(id) FROM auth_user)`)
			return r.tells(c, day)
		}
	}
	planned, whole, err := k.service.planTick(t.Context(), "reminders", reminderPairs, all)
	require.NoError(t, err)
	require.True(t, whole)
	require.Equal(t, 4, planned)
	require.Equal(t, 4, k.rows(t))
}
