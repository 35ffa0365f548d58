package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// messages returns how many there are of a channel in a state.
func (b *bundle) messages(t *testing.T, channel, state string) int {
	t.Helper()
	return functiontest.Value[int](t, b.Server, `SELECT count(*) FROM notification_message WHERE channel = $1 AND state = $2`, channel, state)
}

func TestNobodyIsMailedWhoHasNotProvedTheirAddress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `UPDATE auth_user SET email_verified_at = NULL WHERE id = $1`, b.ben.ID)
	b.done(t, b.assigned(t))
	require.Equal(t, 1, b.messages(t, "app", "sent"))
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM notification_message WHERE channel = 'email'`), "not even planned")
	require.Empty(t, b.mail.all())
	id, _ := b.code(t, b.ben, "verify_email", nil)
	b.done(t, happen(t, b.auth, events.UserVerificationRequested{UserID: b.ben.ID, CodeID: id}))
	require.Equal(t, "Confirm your email address", b.mail.one(t).subject, "how else could they")
	for range securityAnHour + 3 {
		b.done(t, happen(t, b.auth, events.UserPasswordChanged{UserID: b.ben.ID}))
	}
	require.Len(t, b.mail.all(), 1+securityAnHour, "of their account they hear, but no stranger is flooded with that")
}

func TestNobodyIsFlooded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const more = 5
	for range newsAnHour + more {
		b.done(t, b.assigned(t))
	}
	require.Len(t, b.mail.all(), newsAnHour)
	require.Equal(t, newsAnHour+more, b.messages(t, "app", "sent"), "the app's list has all")
	b.done(t, b.completed(t))
	require.Len(t, b.mail.all(), newsAnHour+2, "others, and of another type, are told")
	b.Exec(t, `UPDATE notification_message SET created_at = created_at - interval '61 minutes'`)
	b.done(t, b.assigned(t))
	require.Len(t, b.mail.all(), newsAnHour+3)
}

// What was under way when a process died is tried one at a time: if one of them did it, the others do not go with it.
func TestWhatEndsItsProcessEndsAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const messages = 5
	b.backlog(t, messages)
	dying := func() {
		claimed, err := b.service.claimInDoubt(t.Context())
		require.NoError(t, err)
		require.Len(t, claimed, 1)
		b.Exec(t, `UPDATE notification_message SET lease_until = now() - interval '1 second' WHERE state = 'sending'`)
	}
	claimed, err := b.service.claim(t.Context(), messages)
	require.NoError(t, err)
	require.Len(t, claimed, messages)
	b.Exec(t, `UPDATE notification_message SET lease_until = now() - interval '1 second', next_at = next_at - make_interval(secs => $1::int - id)`, messages)
	for range maxAttempts - 1 {
		dying()
	}
	b.tick(t)
	require.Equal(t, 1, b.messages(t, "email", "dead"))
	require.Equal(t, messages-1, b.messages(t, "email", "sent"))
	require.Len(t, b.mail.all(), messages-1)
}

func TestAMessageThatCannotBeMadeEndsNoProcess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.backlog(t, 2)
	b.service.composer = nil // whoever writes with it goes wrong
	b.tick(t)
	require.Equal(t, 2, functiontest.Value[int](t, b.Server, `
		SELECT count(*) FROM notification_message WHERE state = 'pending' AND attempts = 1 AND last_error = 'a fault of ours: the log has more'`))
	require.Contains(t, b.log.String(), "message could not be made")
	require.NotContains(t, b.log.String(), "nil pointer", "what a fault says may be what somebody typed")
}

func TestWhileNothingGetsOutNothingIsLeft(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.backlog(t, 2*atOnce)
	b.service.deadline = 500 * time.Millisecond
	b.mail.stall(t, "rcpt")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), b.service.lease()+400*time.Millisecond)
	defer cancel()
	require.NoError(t, b.service.sendAllDue(ctx, deliveriesID))
	require.Empty(t, b.left(t))
	require.Empty(t, b.mail.all())
}

func TestAPushThatReachedSomebodyIsSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.device(t, b.ben)
	b.backlog(t, 1)
	b.Exec(t, `UPDATE notification_message SET channel = 'push', devices = ARRAY[$1::bigint]`, first)
	b.tick(t)
	require.Equal(t, "sent 0 no device is left", b.rowOf(t, channelPush))
}
