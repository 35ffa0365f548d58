//go:build e2e

package e2e

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/local/mailbox"
	"github.com/honeydue/backend/tests/cluster"
	"github.com/honeydue/backend/tests/story"
)

// mailTo waits for the mail to an address whose subject or text has those words.
func mailTo(ctx context.Context, t *testing.T, c *cluster.Cluster, address, words string) mailbox.Message {
	t.Helper()
	mail, err := c.Mailbox.Wait(ctx, func(m mailbox.Message) bool { return about(m, address, words) })
	require.NoError(t, err, "mail to a person about %s", words)
	return mail
}

func about(m mailbox.Message, address, words string) bool {
	return slices.Contains(m.To, address) && strings.Contains(strings.ToLower(m.Subject+m.Text), strings.ToLower(words))
}

var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)

// TestMainJob is what the product is for, from no pod to no pod: two people, one home, one task, one mail.
func TestMainJob(t *testing.T) {
	const enough = time.Minute
	ctx, c := within(t, 5*time.Minute)
	require.NoError(t, c.AwaitZero(ctx))
	began := time.Now()
	done, err := story.MainJob(ctx, c.Phone)
	require.NoError(t, err)
	took := time.Since(began)
	t.Logf("main job from zero pods: %s", took.Round(time.Millisecond))
	require.Less(t, took, enough)
	completed := mailTo(ctx, t, c, done.Owner.Email, "completed")
	require.Contains(t, completed.Text, done.Title)
	t.Logf("the owner's mail about it: %s after the first call", time.Since(began).Round(time.Millisecond))

	for _, person := range []*story.Person{done.Owner, done.Member} {
		code := sixDigits.FindString(mailTo(ctx, t, c, person.Email, "confirm your email").Text)
		require.NoError(t, person.Verify(ctx, code))
		var board story.Board
		require.NoError(t, person.Read(ctx, "/api/tasks/", &board))
		require.Equal(t, "upcoming_tasks", board.Column(done.Task), "next due a quarter later")
	}
	require.Contains(t, mailTo(ctx, t, c, done.Owner.Email, "joined").Text, "Max")
	require.Contains(t, mailTo(ctx, t, c, done.Member.Email, "assigned").Text, done.Title)

	// The first word to Redis of a process that has just begun may take longer than one may wait for it.
	well := map[string]string{"status": "ok", "database": "ok", "cache": "ok"}
	require.Eventually(t, func() bool {
		var health map[string]string
		return c.Phone().Read(ctx, "/api/health/", &health) == nil && maps.Equal(well, health)
	}, enough, 250*time.Millisecond)
	require.NoError(t, c.Tick(ctx, "outbox"))
	_, err = c.AwaitPods(ctx, "sweeper", func(pods []cluster.Pod) bool { return len(pods) > 0 })
	require.NoError(t, err, "sweeper wakes as well")
	require.NoError(t, c.AwaitZero(ctx))
}

// TestUpkeep is what people do with a home over the years.
func TestUpkeep(t *testing.T) {
	ctx, c := within(t, 2*time.Minute)
	began := time.Now()
	require.NoError(t, story.Upkeep(ctx, c.Phone))
	t.Logf("upkeep: %s", time.Since(began).Round(time.Millisecond))
}

// TestPhotos: photos reach the bucket past the ingress, and everybody of the home without the place where they were taken.
func TestPhotos(t *testing.T) {
	ctx, c := within(t, 3*time.Minute)
	done, err := story.MainJob(ctx, c.Phone)
	require.NoError(t, err)
	stranger, err := story.Register(ctx, c.Phone(), "Sam")
	require.NoError(t, err)
	began := time.Now()
	require.NoError(t, done.Photo(ctx))
	require.NoError(t, done.Look(ctx, stranger))
	t.Logf("two photos sent, cleaned and seen: %s", time.Since(began).Round(time.Millisecond))
	require.NoError(t, c.Tick(ctx, "uploads"))
}
