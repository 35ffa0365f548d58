package tests

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/story"
)

// TestMessages is what somebody hears of their home: by mail, on their phone and in the app.
func TestMessages(t *testing.T) {
	t.Parallel()
	s := system(t)
	db := owner(t, s)
	require.NoError(t, story.Messages(within(t, time.Minute), story.World{
		Phone: story.At(s.URL), Mail: s.Mailbox(), Push: s.Pushes(), Tick: s.Fire,
		Oversleep: func(ctx context.Context) error {
			_, err := db.Exec(ctx, story.Overslept)
			return err
		},
	}))
}
