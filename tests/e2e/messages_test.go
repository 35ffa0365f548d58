//go:build e2e

package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/story"
)

// TestMessages is what somebody hears of their home, from no pod that tells: by mail, on their phone and in the app.
func TestMessages(t *testing.T) {
	ctx, c := within(t, 3*time.Minute)
	db := database(t, c)
	require.NoError(t, c.AwaitZero(ctx, "notifications"))
	began := time.Now()
	require.NoError(t, story.Messages(ctx, story.World{
		Phone: c.Phone, Mail: c.Mailbox, Push: c.Pushes, Tick: c.Tick,
		Oversleep: func(ctx context.Context) error {
			_, err := db.Exec(ctx, story.Overslept)
			return err
		},
	}))
	t.Logf("messages: %s", time.Since(began).Round(time.Millisecond))
}
