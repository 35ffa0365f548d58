package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What an operator is told of is what stands in the database.
func TestStanding(t *testing.T) {
	t.Parallel()
	b := setup(t)
	found, err := b.service.standing(t.Context())
	require.NoError(t, err)
	require.Zero(t, found.UndeliveredAge)
	require.Zero(t, found.DeadEvents)
	require.Contains(t, found.Schedules, "outbox")
	for _, run := range found.Runs {
		require.InDelta(t, time.Now().Unix(), run, 600, "none came yet: each is to come since its table is there")
	}

	b.Exec(t, `UPDATE shared_schedule SET runs = ARRAY[timestamptz '2026-03-01T12:00:00Z'] WHERE name = 'outbox'`)
	b.Exec(t, `
		WITH e AS (INSERT INTO outbox_event (id, type, source, subject, time, data, traceparent)
			SELECT gen_random_uuid(), 'com.myhoneydue.task.created.v1', '/honeydue/tasks', 'tasks/1', now() - make_interval(mins => n), '{}', '' FROM generate_series(10, 12) n
			RETURNING id, time)
		INSERT INTO outbox_delivery (event_id, consumer, state, next_at)
		SELECT id, 'notifications', CASE WHEN time < now() - interval '11 minutes 30 seconds' THEN 'dead' ELSE 'pending' END, now() FROM e`)
	found, err = b.service.standing(t.Context())
	require.NoError(t, err)
	require.InDelta(t, 11*60, found.UndeliveredAge, 30)
	require.EqualValues(t, 1, found.DeadEvents)
	require.Len(t, found.Runs, len(found.Schedules))
	for i, name := range found.Schedules {
		if name == "outbox" {
			require.InDelta(t, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Unix(), found.Runs[i], 0)
		}
	}
}
