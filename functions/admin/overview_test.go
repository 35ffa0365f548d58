package main

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
)

func TestOverviewOfNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.operator(t, supportRole)
	found := functiontest.Read[overviewBody](t, b.Call(t, "GET", "/api/admin/overview/", me.Token, nil), 200)
	require.Equal(t, total{}, found.People)
	require.Equal(t, failures{LateSchedules: []string{"outbox", "deliveries", "reminders", "digests", "uploads"}}, found.Failures)
	require.Len(t, found.Days, 30)
	require.Equal(t, time.Now().UTC().Format(time.DateOnly), found.Days[29].On)
	require.Len(t, found.Hours, 24)
	page := b.browse(t, "/", me.Cookie, nil)
	require.Equal(t, 200, page.Status, page.Body)
	require.Contains(t, page.Body, `aria-label="New people by day, `)
	require.Contains(t, page.Body, ` to today: none."`)
	require.NotContains(t, page.Body, "<rect")
	require.NotContains(t, page.Body, "style=")
	for _, r := range b.service.resources { // what is on it leads somewhere
		require.Contains(t, page.Body, `href="/`+r.listing.name()+`/`)
	}
}

func TestOverview(t *testing.T) {
	t.Parallel()
	b := setup(t)
	now := time.Date(2026, 6, 30, 23, 59, 0, 0, time.UTC)
	b.Base.Now = func() time.Time { return now }
	me, ann := b.operator(t, adminRole), b.Person(t, "ann")
	b.Exec(t, `UPDATE admin_session SET expires_at = now() + interval '1 hour'`)
	home := b.Home(t, ann)
	b.Exec(t, `UPDATE auth_user SET created_at = '2026-06-30T00:00:00Z'`)
	b.Exec(t, `INSERT INTO auth_user (email, created_at) VALUES ('x1@example.com', '2026-06-01T00:00:00Z'), ('x2@example.com', '2026-06-01T23:59:59Z'), ('x3@example.com', '2026-05-31T23:59:59Z')`)
	b.Exec(t, `UPDATE residence_residence SET created_at = '2026-06-29T12:00:00Z'`)
	b.Exec(t, `INSERT INTO task_task (residence_id, title) VALUES ($1, 'Gutters')`, home)
	b.Exec(t, `INSERT INTO task_taskcompletion (task_id, completed_on, before_in_progress, kind, created_at)
		SELECT id, '2026-06-30', false, kind, '2026-06-30T10:00:00Z' FROM task_task, unnest(ARRAY['completed', 'completed', 'skipped']) kind`)
	for i, state := range []string{"sent", "sent", "sent", "dead", "pending", "sent"} {
		b.message(t, ann, []string{"email", "email", "push", "push", "email", "app"}[i], state)
	}
	b.Exec(t, `UPDATE notification_message SET created_at = '2026-06-30T10:00:00Z'`)
	b.happened(t, "dead", 0)
	b.happened(t, "pending", 0)
	for range 20 {
		b.happened(t, "done", 0)
	}
	b.Exec(t, `UPDATE outbox_event SET time = '2026-06-30T23:48:00Z'`)
	b.Exec(t, `WITH done AS (SELECT event_id, row_number() OVER (ORDER BY event_id) AS n FROM outbox_delivery WHERE state = 'done')
		UPDATE outbox_delivery d SET done_at = timestamptz '2026-06-30T23:48:00Z' + make_interval(secs => done.n) FROM done WHERE d.event_id = done.event_id`)
	b.Exec(t, `UPDATE shared_schedule SET runs = ARRAY['2026-06-30T23:58:00Z']::timestamptz[] WHERE name <> 'digests'`)

	found := functiontest.Read[overviewBody](t, b.Call(t, "GET", "/api/admin/overview/", me.Token, nil), 200)
	require.Equal(t, overviewBody{
		At: now, People: total{Count: 4}, Homes: total{Count: 1}, TasksDone: total{Count: 3},
		Failures: failures{
			OldestUndeliveredAt: new(time.Date(2026, 6, 30, 23, 48, 0, 0, time.UTC)), DeadEvents: 1, DeadMessages: 1, LateSchedules: []string{"digests"},
		},
		Days: found.Days, Hours: found.Hours,
	}, found)
	require.Equal(t, dayFigures{On: "2026-06-01", People: 2}, found.Days[0])
	require.Equal(t, dayFigures{On: "2026-06-29", Homes: 1}, found.Days[28])
	require.Equal(t, dayFigures{On: "2026-06-30", People: 1, TasksDone: 2, Mails: 2, Pushes: 1, DeadMessages: 1}, found.Days[29])
	require.Equal(t, time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC), found.Hours[0].Hour)
	require.Equal(t, lagFigures{Hour: time.Date(2026, 6, 30, 23, 0, 0, 0, time.UTC), Events: 20, P50Seconds: 10.5, P95Seconds: 19.05}, found.Hours[23])

	page := b.browse(t, "/", me.Cookie, nil)
	require.Equal(t, 200, page.Status, page.Body)
	require.Contains(t, page.Body, `<li class="bad"><a href="/events/?state=pending"><span class="of">Oldest undelivered event</span> <strong>11 min</strong>`)
	require.Contains(t, page.Body, `<li class="bad"><a href="/events/?state=dead"><span class="of">Dead events</span> <strong>1</strong>`)
	require.Contains(t, page.Body, `<li class="good"><a href="/uploads/`)
	require.Contains(t, page.Body, `aria-label="New people by day, 1 Jun to today: 1 today, 3 in all; the most, 2, on 1 Jun."`)
	require.Contains(t, page.Body, `<rect class="bad" x="291" y="0" width="8" height="100"><title>30 Jun: 1</title></rect>`)
	require.Contains(t, page.Body, `to this hour: p50 10 s, p95 19 s this hour; the most, p95 19 s, at 23:00."`)
}

func TestWhereTheOverviewLeads(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.operator(t, supportRole)
	page := b.browse(t, "/", me.Cookie, nil)
	links := regexp.MustCompile(`<li class="[a-z]*"><a href="([^"]+)"|<li><a href="([^"]+)"><span`).FindAllStringSubmatch(page.Body, -1)
	require.Len(t, links, 8)
	for _, found := range links {
		to := strings.ReplaceAll(found[1]+found[2], "&amp;", "&")
		_, err := url.Parse(to)
		require.NoError(t, err)
		require.Equal(t, 200, b.browse(t, to, me.Cookie, nil).Status, to)
	}
}

// TestOverviewOfManyPeople looks at what 20,000 people make in a year: 200,000 things done and 200,000 messages.
func TestOverviewOfManyPeople(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.operator(t, supportRole)
	tx := b.Begin(t)
	for _, sql := range []string{
		`SET LOCAL session_replication_role = replica`,
		`INSERT INTO auth_user (email, created_at) SELECT 'crowd' || g || '@example.com', now() - (20000 - g) * interval '25 minutes' FROM generate_series(1, 20000) g`,
		`INSERT INTO residence_residence (name, created_by_id, created_at) SELECT 'Home', g, now() - (20000 - g) * interval '25 minutes' FROM generate_series(1, 20000) g`,
		`INSERT INTO task_taskcompletion (task_id, completed_on, before_in_progress, created_at)
		 SELECT g, '2026-06-01', false, now() - (200000 - g) * interval '150 seconds' FROM generate_series(1, 200000) g`,
		`INSERT INTO notification_message (user_id, channel, type, refs, subject_id, occurrence_on, stage, state, expires_at, created_at)
		 SELECT 1 + g % 20000, (ARRAY['app', 'email', 'push'])[1 + g % 3], 'task_due_soon', '{}', g, '2026-06-01', 3, 'sent', now(), now() - (200000 - g) * interval '150 seconds'
		 FROM generate_series(1, 200000) g`,
		`INSERT INTO outbox_event (id, type, source, subject, time, data)
		 SELECT lpad(to_hex(g), 32, '0')::uuid, 'com.myhoneydue.task.completed.v1', '/functions/tasks', 'tasks/1', now() - (20000 - g) * interval '60 seconds', '{}' FROM generate_series(1, 20000) g`,
		`INSERT INTO outbox_delivery (event_id, consumer, state, next_at, done_at) SELECT id, 'notifications', 'done', now(), time + interval '1 second' FROM outbox_event`,
	} {
		_, err := tx.Exec(t.Context(), sql)
		require.NoError(t, err, sql)
	}
	require.NoError(t, tx.Commit(t.Context()))
	b.Exec(t, `ANALYZE`)
	page := b.browse(t, "/", me.Cookie, nil)
	require.Equal(t, 200, page.Status, page.Body)
	require.LessOrEqual(t, len(page.Body), 60<<10)
	require.Contains(t, page.Body, `<span class="note">estimated</span>`)
	found := functiontest.Read[overviewBody](t, b.Call(t, "GET", "/api/admin/overview/", me.Token, nil), 200)
	require.Equal(t, total{20_000, true}, found.People)
	require.InDelta(t, 200_000, found.TasksDone.Count, 4000)
	require.EqualValues(t, 576, found.Days[20].TasksDone)
	require.EqualValues(t, 192, found.Days[20].Mails)
	require.EqualValues(t, 60, found.Hours[20].Events)
	require.InDelta(t, 1, found.Hours[20].P95Seconds, 0.001)
}
