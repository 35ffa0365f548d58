package ports_test

import (
	"context"
	"net"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/ports"
)

func TestFree(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for range 50 {
		free, err := ports.Free(t.Context())
		require.NoError(t, err)
		require.True(t, free >= 10000 && free < 30000, free)
		seen[free] = true
		listener, err := ports.Listen(t.Context(), net.JoinHostPort("127.0.0.1", strconv.Itoa(free)))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, listener.Close()) })
		_, err = ports.Listen(t.Context(), listener.Addr().String())
		require.ErrorContains(t, err, "already in use")
	}
	require.Len(t, seen, 50, "one that is listened on was called free")
}

func TestListenRefuses(t *testing.T) {
	t.Parallel()
	_, err := ports.Listen(t.Context(), "127.0.0.1")
	require.ErrorContains(t, err, "missing port")
	_, err = ports.Listen(t.Context(), "192.0.2.1:0") // for documentation, of no machine
	require.ErrorContains(t, err, "cannot assign")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = ports.Listen(ctx, "some.example:0")
	require.Error(t, err)
}
