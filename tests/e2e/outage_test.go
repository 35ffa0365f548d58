//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/cluster"
	"github.com/honeydue/backend/tests/story"
)

// TestBrokerOutage: the outbox keeps what the Broker could not take, and one tick brings it.
func TestBrokerOutage(t *testing.T) {
	ctx, c := within(t, 5*time.Minute)
	db := database(t, c)
	person, err := story.Register(ctx, c.Phone(), "Wes")
	require.NoError(t, err)
	settle(ctx, t, c, db)
	scaleBroker(ctx, t, c, 0)
	undo(t, func(ctx context.Context) { scaleBroker(ctx, t, c, 1) })
	require.NoError(t, openApp(ctx, person.Phone), "whoever sleeps wakes")
	done, err := story.MainJob(ctx, func() *story.Phone {
		phone := c.Phone()
		phone.Client.Timeout = 5 * time.Second
		return phone
	})
	require.NoError(t, err, "nobody waits for the Broker")
	const unpublished = `SELECT count(*) FROM outbox_delivery WHERE state = 'pending' AND NOT next_at <= now()`
	// Publishing gives up after 10 s; the lease that an event is born with would end after 30.
	soon, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for value[int](t, db, unpublished) > 0 {
		pause(soon, t, "what could not be published is due at once")
	}
	require.Positive(t, value[int](t, db, `SELECT count(*) FROM outbox_delivery WHERE state = 'pending'`))
	for _, m := range c.Mailbox.Messages() {
		require.False(t, about(m, done.Owner.Email, "") || about(m, done.Member.Email, ""), "mail without a Broker: %s", m.Subject)
	}

	scaleBroker(ctx, t, c, 1)
	// The node learns of the new pod in its own time; until then nobody is at the Broker's address.
	for c.Tick(ctx, "outbox") != nil {
		pause(ctx, t, "the Broker takes a tick again")
	}
	requireMails(ctx, t, c, db, done)
}

// scaleBroker stops or starts the Broker and waits until it has ended or is there.
func scaleBroker(ctx context.Context, t *testing.T, c *cluster.Cluster, replicas int) {
	t.Helper()
	const namespace, deployment = "knative-eventing", "deployment/broker-ingress"
	_, err := c.Kubectl(ctx, "", "scale", deployment, "-n", namespace, fmt.Sprintf("--replicas=%d", replicas))
	require.NoError(t, err)
	if replicas == 0 {
		_, err = c.Kubectl(ctx, "", "wait", "pod", "-n", namespace, "-l", "app=broker-ingress", "--for=delete", "--timeout=90s")
	} else {
		_, err = c.Kubectl(ctx, "", "rollout", "status", deployment, "-n", namespace, "--timeout=90s")
	}
	require.NoError(t, err)
}

// requireMails waits until nothing is on its way and requires each of the five mails of a main job once.
func requireMails(ctx context.Context, t *testing.T, c *cluster.Cluster, db *pgxpool.Pool, done *story.Done) {
	t.Helper()
	settle(ctx, t, c, db)
	for _, mail := range []struct{ to, words string }{
		{done.Owner.Email, "confirm your email"}, {done.Member.Email, "confirm your email"}, {done.Owner.Email, "joined"},
		{done.Member.Email, "assigned"}, {done.Owner.Email, "completed"},
	} {
		requireOnce(t, c, mail.to, []string{mail.words})
	}
}

// TestRedisOutage: without the cache everything works, and when it is back no board is older than the last write.
func TestRedisOutage(t *testing.T) {
	ctx, c := within(t, 5*time.Minute)
	db := database(t, c)
	done, err := story.MainJob(ctx, c.Phone)
	require.NoError(t, err)
	var board story.Board
	require.NoError(t, done.Owner.Read(ctx, "/api/tasks/", &board))

	require.NoError(t, c.Redis.Stop(ctx))
	undo(t, func(ctx context.Context) { require.NoError(t, c.Redis.Start(ctx)) })
	before := restarts(ctx, t, c)
	whole, err := story.MainJob(ctx, c.Phone)
	require.NoError(t, err)
	require.NoError(t, whole.Owner.Read(ctx, "/api/tasks/", &board))
	require.Equal(t, "upcoming_tasks", board.Column(whole.Task))
	requireFresh(ctx, t, done.Owner, done.Member, done.Residence, "without Redis")
	requireHealth(ctx, t, c, "ok", "ok", "degraded")

	require.NoError(t, c.Redis.Start(ctx))
	requireFresh(ctx, t, done.Member, done.Owner, done.Residence, "with Redis again")
	requireHealth(ctx, t, c, "ok", "ok", "ok")
	requireMails(ctx, t, c, db, whole)
	requireNoRestart(t, before, restarts(ctx, t, c))
}

// requireFresh has one person write and the other see it, ten times.
func requireFresh(ctx context.Context, t *testing.T, writer, reader *story.Person, residence int64, words string) {
	t.Helper()
	for i := range 10 {
		var task struct{ ID int64 }
		require.NoError(t, writer.Create(ctx, "/api/tasks/", http.StatusCreated,
			map[string]any{"residence_id": residence, "title": fmt.Sprintf("%s %d", words, i)}, &task))
		var board story.Board
		require.NoError(t, reader.Read(ctx, "/api/tasks/", &board))
		require.NotEmpty(t, board.Column(task.ID), "%s: a board shows the write before it", words)
	}
}

func requireHealth(ctx context.Context, t *testing.T, c *cluster.Cluster, status, database, cache string) {
	t.Helper()
	var health map[string]string
	require.NoError(t, c.Phone().Read(ctx, "/api/health/", &health))
	require.Equal(t, map[string]string{"status": status, "database": database, "cache": cache}, health)
}

// TestPostgresOutage: a missing database is a 503 that says when to come back, nothing that was acknowledged is lost, and the
// same processes work on after the outage.
func TestPostgresOutage(t *testing.T) {
	const answered, mended = 6 * time.Second, 5 * time.Second
	ctx, c := within(t, 5*time.Minute)
	db := database(t, c)
	done, err := story.MainJob(ctx, c.Phone)
	require.NoError(t, err)
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
	for name, stop := range map[string]func() error{
		"stopped": func() error { return c.Postgres.Stop(ctx) },
		"killed":  c.Postgres.Kill,
	} {
		require.NoError(t, openApp(ctx, done.Owner.Phone), "nobody has to wake to answer")
		requireHealth(ctx, t, c, "ok", "ok", "ok")
		before := restarts(ctx, t, c)
		require.NoError(t, stop(), name)
		undo(t, func(ctx context.Context) { require.NoError(t, c.Postgres.Start(ctx)) })
		// All at once: one after the other they would take so long that the last ones fall asleep.
		answers, took, errs := make([]story.Answer, len(calls)), make([]time.Duration, len(calls)), make([]error, len(calls))
		var outage sync.WaitGroup
		for i, call := range calls {
			outage.Go(func() {
				called := time.Now()
				answers[i], errs[i] = done.Owner.Call(ctx, call.method, call.path, call.body, "")
				took[i] = time.Since(called)
			})
		}
		outage.Wait()
		for i, call := range calls {
			require.NoError(t, errs[i], "%s: %s", name, call.path)
			require.Equal(t, http.StatusServiceUnavailable, answers[i].Status, "%s: %s: %s", name, call.path, answers[i].Body)
			require.Less(t, took[i], answered, "%s: %s", name, call.path)
			require.NotEmpty(t, answers[i].Header.Get("Retry-After"), call.path)
			require.Equal(t, "application/problem+json", answers[i].Header.Get("Content-Type"))
		}
		require.NoError(t, c.Postgres.Start(ctx), name)
		began := time.Now()
		for _, call := range calls {
			answer, err := done.Owner.Call(ctx, call.method, call.path, call.body, "")
			// A pooler may refuse for a moment with what it remembers of the outage.
			for ; err == nil && answer.Status == http.StatusServiceUnavailable && time.Since(began) < mended; pause(ctx, t, call.path) {
				t.Logf("%s after PostgreSQL was back (%s): %s: 503", time.Since(began).Round(time.Millisecond), name, call.path)
				answer, err = done.Owner.Call(ctx, call.method, call.path, call.body, "")
			}
			require.NoError(t, err, "after %s: %s", name, call.path)
			require.Less(t, answer.Status, http.StatusMultipleChoices, "after %s: %s: %s", name, call.path, answer.Body)
		}
		requireNoRestart(t, before, restarts(ctx, t, c))
	}
	require.NoError(t, c.Tick(ctx, "outbox"))
	require.NoError(t, c.Tick(ctx, "deliveries"))
	requireMails(ctx, t, c, db, done)
	require.Equal(t, 1, value[int](t, db, `SELECT count(*) FROM task_taskcompletion WHERE task_id = $1 AND id = $2`, done.Task, done.Completion))
}

// restarts counts the restarts of each pod that is there.
func restarts(ctx context.Context, t *testing.T, c *cluster.Cluster) map[string]int {
	t.Helper()
	pods, err := c.Pods(ctx)
	require.NoError(t, err)
	count := map[string]int{}
	for _, p := range pods {
		count[p.Name] = p.Restarts
	}
	return count
}

func requireNoRestart(t *testing.T, before, after map[string]int) {
	t.Helper()
	for pod, n := range after {
		require.Equal(t, before[pod], n, "%s was restarted", pod)
	}
}
