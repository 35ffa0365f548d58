package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What waits for an hour, or has nothing to say any more, is no failure.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]settlement{
		"sent": {state: "sent"}, "pending": {state: "pending", reason: "421"}, "dead": {state: "dead", reason: "550"},
		"waits": {state: "pending", reason: "quiet hours", uncounted: true}, "moot": {state: "dead", reason: "its day is over", moot: true},
	} {
		require.Equal(t, want, o.outcome())
	}
}

// How long a message is late is told by when it was due, or by how often it was tried in vain, and never by more than its age.
func TestOverdue(t *testing.T) {
	t.Parallel()
	b := setup(t)
	overdue := func() float64 {
		seconds, err := b.service.overdue(t.Context())
		require.NoError(t, err)
		return seconds
	}
	require.Zero(t, overdue(), "there is none")
	message := func(state string, attempts int, due, age string) {
		b.Exec(t, `DELETE FROM notification_message`)
		b.Exec(t, `
			INSERT INTO notification_message (event_id, user_id, channel, type, refs, state, attempts, next_at, created_at, expires_at)
			VALUES (gen_random_uuid(), $1, 'email', 'task_assigned', '{}', $2, $3, now() + $4::interval, now() - $5::interval, now() + interval '1 day')`,
			b.anna.ID, state, attempts, due, age)
	}
	const minute = 60.0
	for _, c := range []struct {
		state    string
		attempts int
		due, age string
		want     float64
	}{
		{"pending", 0, "-10 minutes", "1 hour", 10 * minute},
		{"sending", 1, "-10 minutes", "1 hour", 10 * minute},
		{"pending", 0, "8 hours", "1 hour", 0}, // quiet hours
		{"pending", 1, "30 seconds", "9 hours", 0},
		{"pending", 7, "30 minutes", "9 hours", 30 * 63},
		{"pending", 7, "30 minutes", "5 minutes", 5 * minute},
		{"sent", 9, "-10 minutes", "9 hours", 0},
		{"dead", 9, "-10 minutes", "9 hours", 0},
	} {
		message(c.state, c.attempts, c.due, c.age)
		require.InDelta(t, c.want, overdue(), minute/2, "%+v", c)
	}
}
