package main

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// runs returns how many ticks of a schedule are noted, and fails when they are not in their order.
func (b *bundle) runs(t *testing.T, schedule string) int {
	t.Helper()
	noted := functiontest.Value[[]time.Time](t, b.Server, `SELECT runs FROM shared_schedule WHERE name = $1`, schedule)
	for i, at := range noted {
		require.WithinDuration(t, time.Now(), at, time.Hour)
		require.True(t, i == 0 || !at.After(noted[i-1]), "newest first: %v", noted)
	}
	return len(noted)
}

func TestTicksAreNoted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.backlog(t, atOnce*perSlot+1) // more than one claim takes
	b.Exec(t, `UPDATE notification_message SET expires_at = now() WHERE channel = 'email'`)
	schedules := []string{"deliveries", "reminders", "digests"}
	for i, schedule := range schedules {
		b.tickOf(t, schedule)
		require.Equal(t, 1, b.runs(t, schedule))
		for _, other := range schedules[i+1:] {
			require.Zero(t, b.runs(t, other))
		}
	}
	require.Equal(t, atOnce*perSlot+1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM notification_message WHERE last_error = 'expired'`))
	require.True(t, functiontest.Value[bool](t, b.Server, `SELECT bool_and(failed_at IS NULL) FROM shared_schedule`))

	for range 20 {
		b.tick(t)
	}
	first := functiontest.Value[time.Time](t, b.Server, `SELECT runs[1] FROM shared_schedule WHERE name = 'deliveries'`)
	b.tick(t)
	require.Equal(t, 20, b.runs(t, "deliveries"))
	require.Equal(t, first, functiontest.Value[time.Time](t, b.Server, `SELECT runs[2] FROM shared_schedule WHERE name = 'deliveries'`))
}

// What an event brings about is no tick, and neither is what goes on of one.
func TestOnlyTicksAreNoted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.done(t, b.assigned(t))
	for _, schedule := range []int64{deliveriesID, remindersID, digestsID} {
		require.NoError(t, b.service.leave(t.Context(), schedule))
	}
	for _, id := range b.left(t) {
		b.done(t, id)
	}
	require.True(t, functiontest.Value[bool](t, b.Server, `SELECT bool_and(runs = '{}' AND failed_at IS NULL) FROM shared_schedule`))
}

func TestATickThatFailsIsNoted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, schedule := range []string{"deliveries", "reminders", "digests"} {
		b.Exec(t, `REVOKE SELECT ON notification_message, notification_schedule FROM honeydue_notifications`)
		status, err := post(b.url, map[string]string{
			"Ce-Id": uuid.NewString(), "Ce-Type": events.PingType, "Ce-Source": "/apis/v1/namespaces/honeydue/pingsources/" + schedule,
		})
		require.NoError(t, err)
		require.Equal(t, http.StatusServiceUnavailable, status)
		failed := functiontest.Value[time.Time](t, b.Server, `SELECT failed_at FROM shared_schedule WHERE name = $1`, schedule)
		require.WithinDuration(t, time.Now(), failed, time.Hour)
		require.Zero(t, b.runs(t, schedule))

		b.Exec(t, `GRANT SELECT ON notification_message, notification_schedule TO honeydue_notifications`)
		b.tickOf(t, schedule)
		require.Equal(t, 1, b.runs(t, schedule))
		require.Equal(t, failed, functiontest.Value[time.Time](t, b.Server, `SELECT failed_at FROM shared_schedule WHERE name = $1`, schedule))
	}
}

// TestTicksAtOnceAreNoted: each of them, while messages are due; none waits for another's sending, and none fails.
func TestTicksAtOnceAreNoted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.service.deadline = longestDeadline // what is given back for being late waits for another tick
	b.backlog(t, 3*atOnce)
	statuses, errs := make([]int, 12), make([]error, 12)
	var group sync.WaitGroup
	for i := range statuses {
		schedule := []string{"deliveries", "reminders"}[i%2]
		group.Go(func() {
			statuses[i], errs[i] = post(b.url, map[string]string{
				"Ce-Id": uuid.NewString(), "Ce-Type": events.PingType, "Ce-Source": "/apis/v1/namespaces/honeydue/pingsources/" + schedule,
			})
		})
	}
	group.Wait()
	for i := range statuses {
		require.NoError(t, errs[i])
		require.Equal(t, http.StatusNoContent, statuses[i])
	}
	require.Len(t, b.mail.all(), 3*atOnce)
	for _, schedule := range []string{"deliveries", "reminders"} {
		require.Equal(t, 6, functiontest.Value[int](t, b.Server, `SELECT cardinality(runs) FROM shared_schedule WHERE name = $1`, schedule))
	}
}
