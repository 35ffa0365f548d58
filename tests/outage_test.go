package tests

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/story"
)

// TestBrokerDownForTheWholeStory: the outbox keeps what the broker could not take, and one tick brings it.
func TestBrokerDownForTheWholeStory(t *testing.T) {
	t.Parallel()
	s := ownSystem(t)
	db := owner(t, s)
	trustAddresses(t, db)
	ctx := within(t, 2*time.Minute)
	s.StopBroker()
	done, err := story.MainJob(ctx, story.At(s.URL))
	require.NoError(t, err, "nobody waits for the broker")
	require.Eventually(t, func() bool {
		return value[int](t, db, `SELECT count(*) FROM outbox_delivery WHERE state = 'pending' AND next_at <= now()`) ==
			value[int](t, db, `SELECT count(*) FROM outbox_delivery`)
	}, 20*time.Second, 10*time.Millisecond, "what could not be published is due at once")
	require.Empty(t, s.Mailbox().Messages())

	require.NoError(t, s.StartBroker())
	require.NoError(t, s.Fire(ctx, "outbox"))
	mailTo(t, ctx, s, done.Owner.Email, "confirm your email")
	mailTo(t, ctx, s, done.Member.Email, "confirm your email")
	mailTo(t, ctx, s, done.Owner.Email, "joined")
	mailTo(t, ctx, s, done.Member.Email, "assigned")
	mailTo(t, ctx, s, done.Owner.Email, "completed")
	require.Eventually(t, func() bool {
		return value[int](t, db, `SELECT count(*) FROM outbox_delivery WHERE state <> 'done'`) == 0
	}, 20*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool {
		return value[int](t, db, `SELECT count(*) FROM notification_message WHERE state = 'sent' AND channel = 'email'`) == 5
	}, 20*time.Second, 10*time.Millisecond)
	require.Len(t, s.Mailbox().Messages(), 5, "each mail once")
}

// TestRedisGoesAndComesBack: the cache may stop, hang or be emptied in the middle of anything.
func TestRedisGoesAndComesBack(t *testing.T) {
	t.Parallel()
	s := ownSystem(t)
	ctx := within(t, 3*time.Minute)
	done, err := story.MainJob(ctx, story.At(s.URL))
	require.NoError(t, err)
	var board story.Board
	require.NoError(t, done.Owner.Read(ctx, "/api/tasks/", &board))

	for name, trouble := range map[string]struct{ begin, end func() error }{
		"stopped": {func() error { return s.Redis.Stop(ctx) }, func() error { return s.Redis.Start(ctx) }},
		"hanging": {func() error { s.Redis.Pause(); return nil }, func() error { s.Redis.Resume(); return nil }},
	} {
		require.NoError(t, trouble.begin(), name)
		whole, err := story.MainJob(ctx, story.At(s.URL))
		require.NoError(t, err, name)
		require.NoError(t, whole.Owner.Read(ctx, "/api/tasks/", &board))
		require.Equal(t, "upcoming_tasks", board.Column(whole.Task), name)
		for i := range 10 {
			task := addTask(ctx, t, done.Owner, done.Residence, fmt.Sprintf("%s %d", name, i))
			require.NoError(t, done.Member.Read(ctx, "/api/tasks/", &board))
			require.NotEmpty(t, board.Column(task), "%s: a board shows the write before it", name)
		}
		var health map[string]string
		require.NoError(t, done.Owner.Read(ctx, "/api/health/", &health))
		require.Equal(t, "degraded", health["cache"], name)
		require.NoError(t, trouble.end(), name)
		for i := range 10 {
			task := addTask(ctx, t, done.Member, done.Residence, fmt.Sprintf("after %s %d", name, i))
			require.NoError(t, done.Owner.Read(ctx, "/api/tasks/", &board))
			require.NotEmpty(t, board.Column(task), "after %s", name)
		}
	}
}

func addTask(ctx context.Context, t *testing.T, p *story.Person, residence int64, title string) int64 {
	t.Helper()
	var task struct{ ID int64 }
	answer, err := p.Call(ctx, http.MethodPost, "/api/tasks/", map[string]any{"residence_id": residence, "title": title}, "")
	require.NoError(t, err)
	require.NoError(t, answer.Decode(http.StatusCreated, &task))
	return task.ID
}

// TestPostgresGoesAndComesBack: a missing database is a 503 within 5 s and no crash; once it is back, calls work again by themselves.
func TestPostgresGoesAndComesBack(t *testing.T) {
	t.Parallel()
	s := ownSystem(t)
	ctx := within(t, 3*time.Minute)
	done, err := story.MainJob(ctx, story.At(s.URL))
	require.NoError(t, err)
	pids := running(ctx, t, done.Owner)
	calls := []struct {
		method, path string
		body         any
	}{
		{http.MethodGet, "/api/health/", nil},
		{http.MethodGet, "/api/residences/my/", nil},
		{http.MethodGet, fmt.Sprintf("/api/tasks/%d/", done.Task), nil},
		{http.MethodPost, "/api/tasks/", map[string]any{"residence_id": done.Residence, "title": "while it was away"}},
		{http.MethodPost, "/api/auth/login/", map[string]any{"email": done.Owner.Email, "password": story.Password}},
	}
	// PgBouncer 1.18 ends with a crash of its own when cancelled clients pile up before a server that hangs for more than 15 s,
	// so a hanging one gets two calls only.
	for name, trouble := range map[string]struct {
		begin, end func() error
		calls      int
	}{
		"stopped": {func() error { return s.Postgres.Stop(ctx) }, func() error { return s.Postgres.Start(ctx) }, len(calls)},
		"hanging": {func() error { s.Postgres.Pause(); return nil }, func() error { s.Postgres.Resume(); return nil }, 2},
		"killed":  {s.Postgres.Kill, func() error { return s.Postgres.Start(ctx) }, len(calls)},
	} {
		require.NoError(t, trouble.begin(), name)
		for _, call := range calls[:trouble.calls] {
			began := time.Now()
			answer, err := done.Owner.Call(ctx, call.method, call.path, call.body, "")
			require.NoError(t, err, "%s: %s", name, call.path)
			require.Equal(t, http.StatusServiceUnavailable, answer.Status, "%s: %s: %s", name, call.path, answer.Body)
			require.NotEmpty(t, answer.Header.Get("Retry-After"), call.path)
			require.Equal(t, "application/problem+json", answer.Header.Get("Content-Type"))
			require.Less(t, time.Since(began), 5*time.Second, "%s: %s", name, call.path)
		}
		require.NoError(t, trouble.end(), name)
		// The pooler remembers an outage for a moment, and on a busy machine for longer than a call waits.
		for _, call := range calls {
			require.Eventually(t, func() bool {
				answer, err := done.Owner.Call(ctx, call.method, call.path, call.body, "")
				return err == nil && answer.Status < 300
			}, 20*time.Second, 50*time.Millisecond, "after %s: %s", name, call.path)
		}
	}
	for function, pid := range running(ctx, t, done.Owner) {
		if before, ok := pids[function]; ok {
			require.Equal(t, before, pid, "%s was not restarted", function)
		}
	}
}

// running returns the process of each function that the story keeps warm.
func running(ctx context.Context, t *testing.T, p *story.Person) map[string]int {
	t.Helper()
	var page struct {
		Results []struct {
			Name string
			PID  int
		}
	}
	require.NoError(t, p.Read(ctx, "/_local/functions", &page))
	pids := map[string]int{}
	for _, f := range page.Results {
		if f.PID != 0 && (f.Name == "auth" || f.Name == "residences" || f.Name == "tasks") {
			pids[f.Name] = f.PID
		}
	}
	return pids
}
