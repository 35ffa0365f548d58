package seats_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/problem"
	"github.com/honeydue/backend/shared/seats"
)

func TestEnter(t *testing.T) {
	t.Parallel()
	room := make(seats.Room, 1)
	leave, err := room.Enter(t.Context(), time.Minute, "Full.")
	require.NoError(t, err)

	_, err = room.Enter(t.Context(), time.Millisecond, "Full.")
	var refused *problem.Problem
	require.ErrorAs(t, err, &refused)
	require.Equal(t, 429, refused.Status)
	require.Equal(t, "Full.", refused.Detail)

	// Who hangs up while waiting takes no seat.
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = room.Enter(gone, time.Minute, "Full.")
	require.ErrorAs(t, err, &refused)
	require.Len(t, room, 1)

	leave()
	require.Empty(t, room)
	leave, err = room.Enter(t.Context(), time.Minute, "Full.")
	require.NoError(t, err)
	leave()
}
