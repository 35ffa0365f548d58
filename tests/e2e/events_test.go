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

// TestEventsWhileNotificationsSleeps: 30 events at once find no pod of notifications, and each becomes one mail.
func TestEventsWhileNotificationsSleeps(t *testing.T) {
	const events = 30
	ctx, c := within(t, 5*time.Minute)
	db := database(t, c)
	done, err := story.MainJob(ctx, c.Phone)
	require.NoError(t, err)
	mailTo(ctx, t, c, done.Owner.Email, "completed")
	settle(ctx, t, c, db)
	require.NoError(t, c.AwaitZero(ctx, "notifications"))

	began := time.Now()
	titles := assign(ctx, t, done, "Asleep", events)
	for _, title := range titles {
		mailTo(ctx, t, c, done.Member.Email, title)
	}
	t.Logf("%d mails %s after the first event", events, time.Since(began).Round(time.Millisecond))
	settle(ctx, t, c, db)
	requireOnce(t, c, done.Member.Email, titles)
}

// assign has the owner create tasks for the member, all at once, each an event, and returns their titles.
func assign(ctx context.Context, t *testing.T, done *story.Done, words string, n int) []string {
	t.Helper()
	titles, errs := make([]string, n), make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		titles[i] = fmt.Sprintf("%s, task %d of %d", words, i+1, n)
		group.Go(func() {
			errs[i] = done.Owner.Create(ctx, "/api/tasks/", http.StatusCreated, map[string]any{
				"residence_id": done.Residence, "title": titles[i], "assigned_to_id": done.Member.ID,
			}, nil)
		})
	}
	group.Wait()
	for i, err := range errs {
		require.NoError(t, err, titles[i])
	}
	return titles
}

// settle waits until every event is confirmed and every message sent. What is given up ends the test.
func settle(ctx context.Context, t *testing.T, c *cluster.Cluster, db *pgxpool.Pool) {
	t.Helper()
	const open = `SELECT (SELECT count(*) FROM outbox_delivery WHERE state <> 'done') +
		(SELECT count(*) FROM notification_message WHERE state <> 'sent')`
	const dead = `SELECT coalesce(string_agg(what, '; '), '') FROM (
		SELECT 'delivery to ' || consumer || ': ' || coalesce(reason, '') AS what FROM outbox_delivery WHERE state = 'dead' UNION ALL
		SELECT 'message ' || type || ': ' || coalesce(last_error, '') FROM notification_message WHERE state = 'dead') AS given_up`
	// What was cut off has a lease of 30 s, and then waits for a schedule.
	const apart = 20 * time.Second
	for ticked := time.Now(); value[int](t, db, open) > 0; pause(ctx, t, "deliveries and messages that are still open") {
		require.Empty(t, value[string](t, db, dead), "given up")
		if time.Since(ticked) > apart {
			require.NoError(t, c.Tick(ctx, "outbox"))
			require.NoError(t, c.Tick(ctx, "deliveries"))
			ticked = time.Now()
		}
	}
}

// requireOnce requires one mail about each of the titles, and no more.
func requireOnce(t *testing.T, c *cluster.Cluster, address string, titles []string) {
	t.Helper()
	count := map[string]int{}
	for _, m := range c.Mailbox.Messages() {
		for _, title := range titles {
			if about(m, address, title) {
				count[title]++
			}
		}
	}
	for _, title := range titles {
		require.Equal(t, 1, count[title], "mails about %s", title)
	}
}
