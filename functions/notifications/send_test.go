package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/pg"
)

func TestWhatFailedIsSentByTheSchedule(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		misbehave func(*testing.T, *mailbox)
		row       string // the message's state after the first try
		again     int    // mails in the end: two where the first went through without a word
	}{
		"451 to the recipient": {func(_ *testing.T, m *mailbox) { m.refuse("rcpt", 451) }, "pending 1 RCPT: the mail server answered 451 4.1.1", 1},
		"421 to the sender":    {func(_ *testing.T, m *mailbox) { m.refuse("mail", 421) }, "pending 1 MAIL: the mail server answered 421 4.1.1", 1},
		"550 to the sender":    {func(_ *testing.T, m *mailbox) { m.refuse("mail", 550) }, "pending 1 MAIL: the mail server answered 550 5.1.1", 1},
		"421 to the greeting":  {func(_ *testing.T, m *mailbox) { m.refuse("hello", 421) }, "pending 1 EHLO: the mail server answered 421", 1},
		"554 to the greeting":  {func(_ *testing.T, m *mailbox) { m.refuse("hello", 554) }, "pending 1 EHLO: the mail server answered 554", 1},
		"451 to the message":   {func(_ *testing.T, m *mailbox) { m.refuse("data", 451) }, "pending 1 final dot: the mail server answered 451 4.1.1", 1},
		"550 to the recipient": {func(_ *testing.T, m *mailbox) { m.refuse("rcpt", 550) }, "dead 1 RCPT: the mail server answered 550 5.1.1", 0},
		"554 to the message":   {func(_ *testing.T, m *mailbox) { m.refuse("data", 554) }, "dead 1 final dot: the mail server answered 554 5.1.1", 0},
		"silent recipient":     {func(t *testing.T, m *mailbox) { m.stall(t, "rcpt") }, "pending 1 RCPT: the mail server did not answer in time", 1},
		"silent greeting":      {func(t *testing.T, m *mailbox) { m.stall(t, "hello") }, "pending 1 EHLO: the mail server did not answer in time", 1},
		"silent after the dot": {func(t *testing.T, m *mailbox) { m.stall(t, "dot") }, "pending 1 final dot: the mail server did not answer in time; it may have the message", 2},
		"gone before the dot":  {func(_ *testing.T, m *mailbox) { m.drop("data") }, "pending 1 final dot: the mail server broke off; it may have the message", 1},
		"gone after the dot":   {func(_ *testing.T, m *mailbox) { m.drop("dot") }, "pending 1 final dot: the mail server broke off; it may have the message", 2},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.service.deadline = 2 * time.Second
			c.misbehave(t, b.mail)
			id := b.assigned(t)
			began := time.Now()
			b.done(t, id)
			require.Less(t, time.Since(began), 10*time.Second)
			require.Equal(t, "done 1", b.state(t, id), "a message that waits keeps no event waiting")
			require.True(t, strings.HasPrefix(b.row(t), c.row), b.row(t))
			require.NotContains(t, b.row(t), "@")
			require.NotContains(t, b.log.String(), "someone@example.com")

			b.mail.set(nil)
			b.service.deadline = 5 * time.Second
			b.tick(t)
			if strings.HasPrefix(c.row, "pending") {
				require.True(t, strings.HasPrefix(b.row(t), c.row), "sent before its time")
				wait := functiontest.Value[float64](t, b.Server, `SELECT extract(epoch FROM next_at - now())::float8 FROM notification_message WHERE channel = 'email'`)
				require.Greater(t, wait, 10.0)
				require.Less(t, wait, 30.0)
			}
			b.due(t)
			b.tick(t)
			b.tick(t)
			mails := b.mail.all()
			require.Len(t, mails, c.again)
			for _, mail := range mails {
				require.Equal(t, mails[0].header.Get("Message-ID"), mail.header.Get("Message-ID"))
			}
			if c.again > 0 {
				require.Equal(t, "sent 2", b.row(t))
			}
		})
	}
}

func TestNoMailServer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, b.mail.server.Close())
	b.done(t, b.assigned(t))
	require.Contains(t, b.row(t), "pending 1 connect: ")
	require.Contains(t, b.row(t), "connection refused")
}

func TestTwelveAttemptsAreAll(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mail.refuse("rcpt", 451)
	b.done(t, b.assigned(t))
	for range 11 {
		require.Contains(t, b.row(t), "pending ")
		b.due(t)
		b.tick(t)
	}
	require.Equal(t, "dead 12 attempts are used up: RCPT: the mail server answered 451 4.1.1", b.row(t))
}

func TestPausesDoubleUpToAnHour(t *testing.T) {
	t.Parallel()
	for attempts, step := range map[int]time.Duration{
		1: 30 * time.Second, 2: time.Minute, 3: 2 * time.Minute, 7: 32 * time.Minute, 8: time.Hour, 12: time.Hour, 99: time.Hour,
	} {
		for range 100 {
			require.LessOrEqual(t, pause(attempts), step)
			require.Greater(t, pause(attempts), step*3/4-1)
		}
	}
}

// A process that was killed leaves its message in the state sending.
func TestAMessageIsOthersOnlyWhenItsLeaseIsOver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mail.refuse("rcpt", 451)
	b.done(t, b.assigned(t))
	b.mail.set(nil)
	b.Exec(t, `UPDATE notification_message SET state = 'sending', next_at = now() - interval '1 hour', lease_until = now() + interval '5 seconds'`)
	b.tick(t)
	require.Empty(t, b.mail.all())
	b.due(t)
	b.tick(t)
	require.Len(t, b.mail.all(), 1)
	require.Equal(t, "sent 2", b.row(t))
	require.Contains(t, b.log.String(), "message is sent again")

	b.Exec(t, `UPDATE notification_message SET state = 'sending', attempts = 12, lease_until = now() - interval '1 second'`)
	b.tick(t)
	require.Equal(t, "dead 12 attempts are used up", b.row(t))
}

func TestWhatIsNotTrueAnyMoreIsNotSent(t *testing.T) {
	t.Parallel()
	assigned := func(t *testing.T, b *bundle) uuid.UUID { return b.assigned(t) }
	completed := func(t *testing.T, b *bundle) uuid.UUID {
		b.Exec(t, `DELETE FROM residence_member WHERE user_id = $1`, b.cleo.ID)
		return b.completed(t)
	}
	joined := func(t *testing.T, b *bundle) uuid.UUID {
		b.Exec(t, `DELETE FROM residence_member WHERE user_id = $1`, b.ben.ID)
		return happen(t, b.residences, events.MemberJoined{ResidenceID: b.home, UserID: b.cleo.ID})
	}
	verification := func(t *testing.T, b *bundle) uuid.UUID {
		id, _ := b.code(t, b.ben, "verify_email", nil)
		return happen(t, b.auth, events.UserVerificationRequested{UserID: b.ben.ID, CodeID: id})
	}
	changed := func(t *testing.T, b *bundle) uuid.UUID {
		change := functiontest.Value[int64](t, b.Server, `INSERT INTO auth_email_change (user_id, old_email) VALUES ($1, 'old@example.com') RETURNING id`, b.ben.ID)
		return happen(t, b.auth, events.UserEmailChanged{UserID: b.ben.ID, ChangeID: change})
	}
	cases := map[string]struct {
		event  func(*testing.T, *bundle) uuid.UUID
		change string
		reason string
	}{
		"expired":             {assigned, `UPDATE notification_message SET expires_at = now()`, "expired"},
		"task gone":           {assigned, `DELETE FROM task_task`, "the task is gone"},
		"given to another":    {assigned, `UPDATE task_task SET assigned_to_id = NULL`, "the task is not assigned to this person any more"},
		"cancelled":           {assigned, `UPDATE task_task SET is_cancelled = true`, "the task is not open any more"},
		"archived":            {assigned, `UPDATE task_task SET is_archived = true`, "the task is not open any more"},
		"assignee left":       {assigned, `DELETE FROM residence_member WHERE role = 'member'`, "this person is not a member any more"},
		"completion gone":     {completed, `DELETE FROM task_taskcompletion`, "the completion is gone"},
		"completed task gone": {completed, `DELETE FROM task_task`, "the task is gone"},
		"member left":         {completed, `DELETE FROM residence_member WHERE role = 'owner'`, "this person is not a member any more"},
		"joiner left":         {joined, `DELETE FROM residence_member WHERE role = 'viewer'`, "who joined is not a member any more"},
		"home gone":           {joined, `DELETE FROM residence_residence`, "this person is not a member any more"},
		"code used":           {verification, `UPDATE auth_code SET used_at = now()`, "the code is not valid any more"},
		"code expired":        {verification, `UPDATE auth_code SET expires_at = now()`, "the code is not valid any more"},
		"code gone":           {verification, `DELETE FROM auth_code`, "the code is not valid any more"},
		"change forgotten":    {changed, `DELETE FROM auth_email_change`, "the former address is not known any more"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.mail.refuse("hello", 421)
			b.done(t, c.event(t, b))
			require.Contains(t, b.row(t), "pending 1")
			b.mail.set(nil)
			b.Exec(t, c.change)
			b.due(t)
			b.tick(t)
			require.Equal(t, "dead 1 "+c.reason, b.row(t))
			require.Empty(t, b.mail.all())
		})
	}
}

func TestAPersonWhoIsGoneTakesTheirMessagesAlong(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mail.refuse("hello", 421)
	b.done(t, b.assigned(t))
	b.Exec(t, `DELETE FROM auth_user WHERE id = $1`, b.ben.ID)
	b.tick(t)
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM notification_message`))
}

// backlog makes n messages that are due, of n events.
func (b *bundle) backlog(t *testing.T, n int) {
	t.Helper()
	b.Exec(t, `
		INSERT INTO notification_message (event_id, user_id, channel, type, refs, expires_at)
		SELECT gen_random_uuid(), $1, 'email', 'task_assigned', jsonb_build_object('task_id', $2::bigint), now() + interval '1 day'
		FROM generate_series(1, $3::int)`, b.ben.ID, b.task, n)
}

func TestFourSweepsAtOnceSendEachMessageOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const messages = 4*atOnce + 5
	b.backlog(t, messages)
	services := []*service{b.service}
	for range 3 {
		other := newTestService(t, b, "smtp://127.0.0.1:1", 5*time.Second)
		other.couriers.server = b.service.couriers.server
		services = append(services, other)
	}
	errs := make([]error, len(services))
	var group sync.WaitGroup
	for i, s := range services {
		group.Go(func() { _, errs[i] = s.sendDue(context.WithoutCancel(t.Context())) })
	}
	group.Wait()
	require.NoError(t, errors.Join(errs...))
	require.Len(t, b.mail.all(), messages)
	ids := map[string]bool{}
	for _, mail := range b.mail.all() {
		ids[mail.header.Get("Message-ID")] = true
	}
	require.Len(t, ids, messages)
	require.Equal(t, messages, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM notification_message WHERE channel = 'email' AND state = 'sent' AND attempts = 1`))
}

func TestNoMoreThanTenMessagesAreUnderWay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.backlog(t, 3*atOnce)
	b.service.deadline = 2 * time.Second
	under := make(chan struct{}, 3*atOnce)
	b.mail.stall(t, "rcpt")
	stalled := b.mail.misbehave
	b.mail.set(func(conn *smtp.Conn, step string) error {
		if step == "rcpt" {
			under <- struct{}{}
		}
		return stalled(conn, step)
	})
	swept := make(chan error, 1)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 5*time.Second)
	defer cancel()
	go func() {
		_, err := b.service.sendDue(ctx)
		swept <- err
	}()
	require.NoError(t, <-swept)
	require.Len(t, under, atOnce)
	require.Equal(t, "pending", functiontest.Value[string](t, b.Server, `SELECT DISTINCT state FROM notification_message`), "a sweep begins nothing for which it has no time")
	require.Equal(t, atOnce, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM notification_message WHERE attempts = 1`))
	require.Equal(t, 2*atOnce, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM notification_message WHERE attempts = 0`), "what was not begun is given back")
	require.Empty(t, b.mail.all())
	require.Empty(t, b.service.slots)
}

func TestWaitingForOthersLeavesNoTimeToBegin(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.backlog(t, 1)
	b.service.deadline = time.Second
	for range atOnce {
		b.service.slots <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), b.service.lease()+200*time.Millisecond)
	defer cancel()
	swept := make(chan error, 1)
	go func() {
		_, err := b.service.sendDue(ctx)
		swept <- err
	}()
	require.Eventually(t, func() bool { return !b.service.timeLeft(ctx) }, 20*time.Second, 10*time.Millisecond)
	b.service.give(1)
	require.NoError(t, <-swept)
	require.Equal(t, "pending 0", b.row(t))
	require.Len(t, b.service.slots, atOnce-1)
}

// A process that is asked to end finishes what is under way: the time for that is shorter than a tick's.
func TestNothingNewBeginsWhileTheProcessEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const rest = 7
	b.backlog(t, atOnce+rest)
	ends := make(chan struct{})
	b.service.ends = ends
	var once sync.Once
	b.mail.set(func(*smtp.Conn, string) error { once.Do(func() { close(ends) }); return nil })
	b.tick(t)
	require.Len(t, b.mail.all(), atOnce)
	require.Equal(t, rest, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM notification_message WHERE state = 'pending' AND attempts = 0`))
	b.done(t, b.assigned(t))
	require.Len(t, b.mail.all(), atOnce+1, "what a request planned is sent")
}

func TestAnOutcomeThatCameLateChangesNothingButSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.backlog(t, 1)
	claimed, err := b.service.claim(t.Context(), 1)
	require.NoError(t, err)
	b.due(t)
	again, err := b.service.claimInDoubt(t.Context())
	require.NoError(t, err)
	require.True(t, again[0].InDoubt)
	require.NoError(t, b.service.settle(t.Context(), claimed[0], settlement{state: "dead", reason: "too late"}))
	require.Equal(t, "sending 2", b.row(t))
	require.NoError(t, b.service.settle(t.Context(), claimed[0], settlement{state: "sent"}))
	require.Equal(t, "sent 2", b.row(t))
	require.NoError(t, b.service.settle(t.Context(), again[0], settlement{state: "pending"}))
	require.Equal(t, "sent 2", b.row(t))
}

func TestPostgresDownIsPutOff(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.assigned(t)
	s := newTestService(t, b, "smtp://127.0.0.1:1", time.Second)
	down, err := pg.Open(t.Context(), pg.Config{URL: "postgres://honeydue_notifications@127.0.0.1:1/honeydue", PoolSize: 4})
	require.NoError(t, err)
	s.db = down
	server := httptest.NewServer(s.handler())
	t.Cleanup(server.Close)
	for _, headers := range []map[string]string{
		{"Ce-Id": id.String()},
		{"Ce-Type": events.PingType, "Ce-Source": "/apis/v1/namespaces/honeydue/pingsources/deliveries"},
	} {
		began := time.Now()
		status, err := post(server.URL, headers)
		require.NoError(t, err)
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.Less(t, time.Since(began), 5*time.Second)
	}
	require.Equal(t, "pending 0", b.state(t, id))
	b.done(t, id)
	require.Len(t, b.mail.all(), 1)
}
