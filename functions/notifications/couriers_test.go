package main

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
)

// newCouriers returns those of a server.
func newCouriers(t *testing.T, server *trickster) *couriers {
	t.Helper()
	c := &couriers{server: newCourier(t, server, nil).server}
	t.Cleanup(c.close)
	return c
}

func TestMailsOfABurstShareAConnection(t *testing.T) {
	t.Parallel()
	server := newTrickster(t, nil, trick{})
	lent := newCouriers(t, server)
	for id := range int64(3) {
		c := lent.take()
		require.NoError(t, hand(t, c, id, ample))
		lent.giveBack(c)
	}
	require.Equal(t, 1, server.connected())
	first, second := lent.take(), lent.take()
	require.NotSame(t, first, second)
	require.NoError(t, hand(t, first, 3, ample))
	require.NoError(t, hand(t, second, 4, ample))
	lent.giveBack(first)
	lent.giveBack(second)
	require.Equal(t, 2, server.connected())

	require.Empty(t, server.heard("QUIT"))
	require.Eventually(t, func() bool { return len(server.heard("QUIT")) == 2 }, keptFor+10*time.Second, 10*time.Millisecond, "nobody needs them")
	last := lent.take()
	require.NoError(t, hand(t, last, 5, ample))
	require.Equal(t, 3, server.connected())
	lent.giveBack(last)
	lent.close()
	require.Len(t, server.heard("QUIT"), 3)
	late := lent.take()
	require.NoError(t, hand(t, late, 6, ample))
	lent.giveBack(late)
	lent.close()
	require.Len(t, server.heard("QUIT"), 4)
}

// A server that leaves between two mails of a burst costs none of them an attempt.
func TestAKeptConnectionThatEndsCostsNoAttempt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	server := newTrickster(t, nil, trick{})
	b.service.couriers = newCouriers(t, server)
	b.backlog(t, 3)
	for i := range 3 {
		claimed, err := b.service.claim(t.Context(), 1)
		require.NoError(t, err)
		require.Len(t, claimed, 1)
		if i == 1 {
			server.play(trick{at: phaseMail, does: resets})
		}
		b.service.work(t.Context(), claimed, time.Now(), new(atomic.Int64))
		state, attempts, reason := b.outcome(t, claimed[0].ID)
		require.Equal(t, []any{"sent", 1, ""}, []any{state, attempts, reason})
	}
	require.Equal(t, 2, server.connected())
}

// Events that come at the same moment are claimed together, each by itself all the same: none gets what is another's.
func TestEventsAtOnceEachSendTheirs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 3 {
		b.Join(t, b.home, b.Person(t, "Dora"), home.Member)
	}
	const pairs = 6
	var ids []uuid.UUID
	for range pairs {
		ids = append(ids, b.completed(t), b.assigned(t))
	}
	errs := make([]error, len(ids))
	var group sync.WaitGroup
	for i, id := range ids {
		group.Go(func() {
			_, errs[i] = post(b.url, map[string]string{"Ce-Id": id.String(), "Ce-Type": "anything", "Ce-Specversion": "1.0"})
		})
	}
	group.Wait()
	require.NoError(t, errors.Join(errs...))
	told := map[string]int{}
	for _, m := range b.mail.all() {
		told[m.to]++
	}
	require.Len(t, told, 1+5, "ben of what is his, the others of what he did")
	for who, mails := range told {
		require.Equal(t, pairs, mails, who)
	}
}

// A connection is kept for mails: what is sent in another way, or not at all, leaves it where it is.
func TestOnlyMailsKeepAConnection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	server := newTrickster(t, nil, trick{})
	b.service.couriers = newCouriers(t, server)
	b.backlog(t, 1)
	claimed, err := b.service.claim(t.Context(), 1)
	require.NoError(t, err)
	b.service.work(t.Context(), claimed, time.Now(), new(atomic.Int64))
	require.Len(t, b.service.couriers.idle, 1)
	before := b.service.couriers.idle[0]
	done := new(atomic.Int64)
	b.service.work(t.Context(), []message{
		{Channel: channelPush, Reason: "no device is left"}, {Channel: channelEmail, Reason: "expired"},
	}, time.Now(), done)
	require.EqualValues(t, 2, done.Load())
	require.Len(t, b.service.couriers.idle, 1)
	require.Same(t, before, b.service.couriers.idle[0])
}

// Each message is one claim's, also when it is asked for twice, and what waits of an event since before is nobody's.
func TestClaimsOfOneMomentShareNoMessage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, second := b.assigned(t), b.assigned(t)
	b.done(t, first)
	b.done(t, second)
	ask := func(id uuid.UUID) owed { return owed{id, subjectsOf(typeAssigned), b.planned(t, id)} }
	asked := []owed{ask(first), ask(second), ask(first)}
	waiting := functiontest.Value[int64](t, b.Server, `
		INSERT INTO notification_message (event_id, user_id, channel, type, refs, expires_at)
		SELECT event_id, $1, channel, type, refs, expires_at FROM notification_message WHERE event_id = $2 AND channel = 'email' RETURNING id`, b.anna.ID, first)
	b.Exec(t, `UPDATE notification_message SET state = 'pending', attempts = 0 WHERE channel = 'email'`)
	claimed, err := b.service.claimAll(t.Context(), asked)
	require.NoError(t, err)
	require.Len(t, claimed, 3)
	for i, of := range []uuid.UUID{first, second} {
		require.Len(t, claimed[i], 1)
		require.Equal(t, of, *claimed[i][0].EventID)
	}
	require.Empty(t, claimed[2], "the one before has them")
	require.Equal(t, "pending", functiontest.Value[string](t, b.Server, `SELECT state FROM notification_message WHERE id = $1`, waiting))
}

// A replay that plans a mail alone looks for no phones, and leaves the push of that event that waits for its next try.
func TestAReplayClaimsWhatItPlanned(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.device(t, b.ben)
	event := b.assigned(t)
	b.done(t, event)
	b.Exec(t, `DELETE FROM notification_message WHERE channel = 'email'`)
	b.Exec(t, `UPDATE notification_message SET state = 'pending', attempts = 1, next_at = now() - interval '1 minute' WHERE channel = 'push'`)
	b.Exec(t, `UPDATE outbox_delivery SET state = 'pending' WHERE event_id = $1`, event)
	b.done(t, event)
	require.Equal(t, "sent 1", b.rowOf(t, channelEmail))
	require.Equal(t, "pending 1", functiontest.Value[string](t, b.Server,
		`SELECT concat_ws(' ', state, attempts) FROM notification_message WHERE channel = 'push'`))
}
