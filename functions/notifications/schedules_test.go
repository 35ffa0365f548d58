package main

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
)

// left returns the events that tell of work left, oldest first.
func (b *bundle) left(t *testing.T) []uuid.UUID {
	t.Helper()
	return functiontest.Value[[]uuid.UUID](t, b.Server, `
		SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM outbox_event WHERE type = 'com.myhoneydue.messages.left.v1'`)
}

func TestWhatATickHasNoTimeForGoesOnAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const messages = 3 * atOnce
	b.backlog(t, messages)
	hurried, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), b.service.lease())
	defer cancel()
	require.NoError(t, b.service.sendAllDue(hurried, deliveriesID))
	require.Empty(t, b.mail.all())
	left := b.left(t)
	require.Len(t, left, 1)
	require.Equal(t, "schedules/1 pending", functiontest.Value[string](t, b.Server, `
		SELECT e.subject || ' ' || d.state FROM outbox_event e JOIN outbox_delivery d ON d.event_id = e.id AND d.consumer = 'notifications' WHERE e.id = $1`, left[0]))

	b.done(t, left[0])
	require.Len(t, b.mail.all(), messages)
	require.Equal(t, "done 1", b.state(t, left[0]))
	require.Len(t, b.left(t), 1, "nothing is left")
	b.done(t, left[0])
	require.Len(t, b.mail.all(), messages)
}

// A process that is to end passes on what it had begun.
func TestWhatAnEndingProcessLeavesGoesOnElsewhere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.service.deadline = longestDeadline // what is given back for being late waits for another tick
	const messages = atOnce*perSlot + 3
	b.backlog(t, messages)
	ends := make(chan struct{})
	close(ends)
	b.service.ends = ends
	b.tick(t)
	require.Len(t, b.mail.all(), atOnce)
	require.Equal(t, messages-atOnce, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM notification_message WHERE state = 'pending' AND attempts = 0`))
	b.service.ends = nil
	b.done(t, b.left(t)[0])
	require.Len(t, b.mail.all(), messages)
}

func TestATickWithNothingLeftLeavesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.backlog(t, 2)
	b.tick(t)
	b.tick(t)
	require.Len(t, b.mail.all(), 2)
	require.Empty(t, b.left(t))
}

func TestWorkLeftOfAScheduleThatNobodyHas(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, b.service.leave(t.Context(), 99))
	id := b.left(t)[0]
	require.Equal(t, http.StatusNoContent, b.deliver(t, id.String(), ""))
	require.Equal(t, "dead 1 schedule 99 is not known", b.state(t, id))
}

func TestAQuietPhoneIsToldInTheMorning(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.device(t, b.ben)
	const clocks = "15:04"
	now := time.Now().UTC()
	b.Exec(t, `UPDATE auth_user SET quiet_from = $2::time, quiet_to = $3::time WHERE id = $1`,
		b.ben.ID, now.Add(-time.Hour).Format(clocks), now.Add(8*time.Hour).Format(clocks))
	b.done(t, b.assigned(t))
	require.Equal(t, "sent 1", b.row(t), "mails wake nobody")
	require.Equal(t, "pending 0 quiet hours", b.rowOf(t, channelPush))
	wait := functiontest.Value[float64](t, b.Server, `SELECT extract(epoch FROM next_at - now())::float8 FROM notification_message WHERE channel = 'push'`)
	require.InDelta(t, (8 * time.Hour).Seconds(), wait, 180)

	b.due(t)
	b.Exec(t, `UPDATE notification_message SET expires_at = now() + interval '1 hour' WHERE channel = 'push'`)
	b.tick(t)
	require.Equal(t, "dead 1 expires within quiet hours", b.rowOf(t, channelPush))
}
