package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/push"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// withPhones has the function push to a double, and returns that.
func (b *bundle) withPhones(t *testing.T) *push.Double {
	t.Helper()
	double := newDouble(t)
	b.service.pusher = newTestPusher(t, double)
	return double
}

// phone registers a device of p by that token, in their session and an hour ago, and returns its id.
func (b *bundle) phone(t *testing.T, p functiontest.Person, platform, token string) int64 {
	t.Helper()
	return functiontest.Value[int64](t, b.Server, `
		INSERT INTO auth_device (user_id, session_id, platform, token, registered_at)
		SELECT user_id, id, $2, $3, now() - interval '1 hour' FROM auth_session WHERE user_id = $1 RETURNING id`, p.ID, platform, token)
}

// atTheHour stops the function's clock at the beginning of this hour, which is when everybody is told of what is due, and returns
// it. Nothing was planned for it yet.
func (b *bundle) atTheHour(t *testing.T) time.Time {
	t.Helper()
	hour := time.Now().UTC().Truncate(time.Hour)
	b.service.now = func() time.Time { return hour }
	b.Exec(t, `
		UPDATE auth_user SET task_due_soon_hour = $1, task_overdue_hour = $1, warranty_expiring_hour = $1, daily_digest_hour = $1,
			created_at = created_at - interval '1 year'`, hour.Hour())
	b.Exec(t, `UPDATE notification_schedule SET planned_until = $1`, hour.Add(-time.Minute))
	return hour
}

// dueIn makes a task of the home that comes every year, due so many days after now, and returns its id.
func (b *bundle) dueIn(t *testing.T, now time.Time, days int, title string) int64 {
	t.Helper()
	return functiontest.Value[int64](t, b.Server, `
		INSERT INTO task_task (residence_id, title, frequency_id, next_due_on)
		SELECT $1, $2, id, $3 FROM task_frequency WHERE every = 1 AND unit = 'year' RETURNING id`, b.home, title, now.AddDate(0, 0, days))
}

// endsIn makes a document of the home whose warranty ends so many days after now.
func (b *bundle) endsIn(t *testing.T, now time.Time, days int, title string) {
	t.Helper()
	b.Exec(t, `INSERT INTO upload_document (residence_id, title, document_type, warranty_expires_on) VALUES ($1, $2, 'warranty', $3)`,
		b.home, title, now.AddDate(0, 0, days))
}

// alone takes everybody out of the home but p.
func (b *bundle) alone(t *testing.T, p functiontest.Person) {
	t.Helper()
	b.Exec(t, `DELETE FROM residence_member WHERE user_id <> $1`, p.ID)
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM residence_member`))
}
