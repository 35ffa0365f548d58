package main

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

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

// An event may have more messages than were planned just now, and be asked for twice: each of its messages is one claim's.
func TestClaimsOfOneMomentShareNoMessage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, second := b.assigned(t), b.assigned(t)
	b.done(t, first)
	b.done(t, second)
	b.Exec(t, `
		INSERT INTO notification_message (event_id, user_id, channel, type, refs, expires_at)
		SELECT event_id, $1, channel, type, refs, expires_at FROM notification_message WHERE event_id = $2 AND channel = 'email'`, b.anna.ID, first)
	b.Exec(t, `UPDATE notification_message SET state = 'pending', attempts = 0 WHERE channel = 'email'`)
	ask := func(id uuid.UUID) owed { return owed{event: id, subjects: subjectsOf(typeAssigned), messages: 1} }
	claimed, err := b.service.claimAll(t.Context(), []owed{ask(first), ask(second), ask(first)})
	require.NoError(t, err)
	require.Len(t, claimed, 3)
	require.Len(t, claimed[0], 2)
	require.Len(t, claimed[1], 1)
	require.Empty(t, claimed[2], "the one before has them")
	for i, of := range []uuid.UUID{first, second} {
		for _, m := range claimed[i] {
			require.Equal(t, of, *m.EventID)
		}
	}
}
