//go:build e2e

package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/cluster"
	"github.com/honeydue/backend/tests/story"
)

// TestRotation: the key of codes and links changes while mails are on their way. Every code that was mailed works, once; a link that was
// mailed before goes on working; nobody is signed out.
func TestRotation(t *testing.T) {
	const (
		apart     = 700 * time.Millisecond // from one newcomer to the next: each costs a password hash
		afterward = 3
	)
	ctx, c := within(t, 8*time.Minute)
	done, err := story.MainJob(ctx, c.Phone)
	require.NoError(t, err)
	joined := mailTo(ctx, t, c, done.Owner.Email, "joined")

	rotated := make(chan error, 1)
	go func() {
		_, err := c.Make(ctx, "rotate", "WHAT=code-key", "OVERLAY=cluster")
		rotated <- err
	}()
	newcomers := arrive(ctx, t, c, time.NewTicker(apart), rotated, afterward)
	require.Greater(t, len(newcomers), 2*afterward, "people arrived while the key changed")
	for _, p := range newcomers {
		code := sixDigits.FindString(mailTo(ctx, t, c, p.Email, "confirm your email").Text)
		require.NoError(t, p.Verify(ctx, code))
		require.Error(t, p.Verify(ctx, code), "a code works once")
	}

	// The last step waits until no code of the old key can be on its way.
	require.Contains(t, fails(ctx, t, c, "rotate", "WHAT=code-key", "OVERLAY=cluster"), "may be needed until")
	_, err = c.Kubectl(ctx, "", "annotate", "--overwrite", "--namespace", cluster.Namespace, "secret/honeydue-codes", "myhoneydue.com/rotation=signs 2026-01-01T00:00:00Z")
	require.NoError(t, err)
	makes(ctx, t, c, "rotate", "WHAT=code-key", "OVERLAY=cluster")
	late, err := story.Register(ctx, c.Phone(), "Late")
	require.NoError(t, err)
	require.NoError(t, late.Verify(ctx, sixDigits.FindString(mailTo(ctx, t, c, late.Email, "confirm your email").Text)))
	require.NoError(t, done.Owner.OneClick(ctx, joined), "a link of the old key")
	require.NoError(t, done.Owner.Read(ctx, "/api/auth/me/", nil), "nobody is signed out")
	require.Contains(t, fails(ctx, t, c, "rotate", "WHAT=everything", "OVERLAY=cluster"), "there are admin-key and code-key")

	// Nothing changed since: nothing is renewed.
	newest := func() string {
		name, err := c.Kubectl(ctx, "", "get", "services.serving.knative.dev", "auth", "--namespace", cluster.Namespace, "--output", "jsonpath={.status.latestReadyRevisionName}")
		require.NoError(t, err)
		return name
	}
	before := newest()
	makes(ctx, t, c, "renew", "FN=auth", "OVERLAY=cluster")
	require.Equal(t, before, newest())
}

// arrive has people make accounts at every tick, until the rotation has ended and so many more have come.
func arrive(ctx context.Context, t *testing.T, c *cluster.Cluster, clock *time.Ticker, rotated <-chan error, afterward int) (all []*story.Person) {
	t.Helper()
	defer clock.Stop()
	for left := -1; left != 0; {
		p, err := story.Register(ctx, story.Patient(c.Phone)(), "New")
		require.NoError(t, err)
		all = append(all, p)
		if left > 0 {
			left--
		}
		select {
		case err := <-rotated:
			require.NoError(t, err)
			rotated, left = nil, afterward
		case <-clock.C:
		case <-ctx.Done():
			require.NoError(t, ctx.Err())
		}
	}
	return all
}
