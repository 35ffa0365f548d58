package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
)

// TestRhythms holds what the panel says of schedules against what they are.
func TestRhythms(t *testing.T) {
	t.Parallel()
	const folder = "../../knative/schedules/"
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	sources := map[string]string{}
	for _, f := range files {
		if f.Name() == "kustomization.yaml" {
			continue
		}
		text, err := os.ReadFile(folder + f.Name())
		require.NoError(t, err)
		require.Contains(t, string(text), "\n  timezone: UTC\n  contentType: application/json\n  data: \"{}\"\n", f.Name())
		_, after, _ := strings.Cut(string(text), "\n  schedule: \"")
		sources[strings.TrimSuffix(f.Name(), ".yaml")], _, _ = strings.Cut(after, `"`)
	}
	every := map[string]time.Duration{"*/5 * * * *": 5 * time.Minute, "*/15 * * * *": 15 * time.Minute, "0 * * * *": time.Hour, "30 * * * *": time.Hour}
	told := map[string]string{}
	for _, r := range rhythms() {
		told[r.Name] = r.Cron
		require.Equal(t, every[r.Cron], r.Every, r.Name)
	}
	require.Equal(t, sources, told)
}

func TestSchedules(t *testing.T) {
	t.Parallel()
	b := setup(t)
	now := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	b.Base.Now = func() time.Time { return now }
	me := b.operator(t, supportRole)
	b.Exec(t, `UPDATE shared_schedule SET runs = ARRAY['2026-06-01T07:53:30Z', '2026-06-01T07:48:00Z']::timestamptz[], failed_at = '2026-06-01T06:00:00Z' WHERE name = 'outbox'`)
	b.Exec(t, `UPDATE shared_schedule SET runs = ARRAY['2026-06-01T07:52:00Z']::timestamptz[] WHERE name = 'deliveries'`)
	b.Exec(t, `UPDATE shared_schedule SET runs = ARRAY['2026-06-01T06:30:00Z']::timestamptz[] WHERE name = 'uploads'`)
	b.Exec(t, `UPDATE notification_schedule SET planned_until = '2026-06-01T07:45:00Z'`)

	found := all[schedule](t, b, me, "/api/admin/schedules/?", 50)
	states := map[string]string{}
	for _, k := range found {
		states[k.Name] = k.State
	}
	require.Equal(t, map[string]string{"outbox": "on time", "deliveries": "late", "reminders": "never ran", "digests": "never ran", "uploads": "late"}, states)
	require.EqualValues(t, 180, found[1].LateSeconds)
	require.Nil(t, found[1].PlannedUntil, "it plans nothing")
	require.Equal(t, "2026-06-01T07:45:00Z", found[2].PlannedUntil.Format(time.RFC3339))

	page := b.browse(t, "/schedules/", me.Cookie, nil)
	require.Contains(t, page.Body, "late by 3 min")
	require.Contains(t, page.Body, "late by 30 min")
	require.Contains(t, b.browse(t, "/schedules.csv", me.Cookie, nil).Body, "outbox,publishes events that nobody has confirmed,*/5 * * * *,on time,2026-06-01T07:53:30Z,2026-06-01T06:00:00Z,")
	one := b.browse(t, "/schedules/outbox/", me.Cookie, nil)
	require.Contains(t, one.Body, "2026-06-01 07:48:00")
	require.Equal(t, 404, b.browse(t, "/schedules/inbox/", me.Cookie, nil).Status)
	functiontest.Refused(t, b.Call(t, "GET", "/api/admin/schedules/inbox/", me.Token, nil), 404)
}

func TestRunSchedule(t *testing.T) {
	t.Parallel()
	b := setup(t)
	type ping struct{ path, kind, source, body string }
	pings := make(chan ping, 10)
	broker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		pings <- ping{r.URL.Path, r.Header.Get("Ce-Type"), r.Header.Get("Ce-Source"), string(body)}
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(broker.Close)
	b.service.publisher.Sink = broker.URL + "/honeydue/default"
	me := b.operator(t, adminRole)
	b.Exec(t, `UPDATE shared_schedule SET runs = ARRAY['2026-06-01T07:53:30Z']::timestamptz[] WHERE name = 'reminders'`)
	functiontest.Refused(t, b.Call(t, "POST", "/api/admin/schedules/reminders/run/", b.operator(t, supportRole).Token, nil), 403)
	functiontest.Refused(t, b.Call(t, "POST", "/api/admin/schedules/inbox/run/", me.Token, nil), 404)
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM admin_audit`))

	done := b.act(t, "/schedules/reminders/run/", me)
	require.Equal(t, 303, done.Status, done.Body)
	require.Equal(t, ping{"/honeydue/default", "dev.knative.sources.ping", "/apis/v1/namespaces/honeydue/pingsources/reminders", "{}"}, <-pings)
	require.Empty(t, pings)
	require.Regexp(t, `^\d+ run schedules/reminders {"last_run_at": "2026-06-01T07:53:30Z"} {"asked_at": "20[^"]+Z"} 127.0.0.1$`, b.lastAudit(t))

	broker.Close()
	away := b.Call(t, "POST", "/api/admin/schedules/outbox/run/", me.Token, nil)
	functiontest.Refused(t, away, 503)
	require.NotEmpty(t, away.Header.Get("Retry-After"))
	require.Contains(t, string(away.Body), "The audit log has your try")
	require.NotContains(t, string(away.Body), broker.URL)
	require.Regexp(t, `^\d+ run schedules/outbox {"last_run_at": null} `, b.lastAudit(t), "who asked is known, whatever became of it")
	require.Equal(t, 503, b.act(t, "/schedules/outbox/run/", me).Status)
}
