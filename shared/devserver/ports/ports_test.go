package ports_test

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

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
	}
	require.Len(t, seen, 50, "one that is listened on was called free")
}

// A port that is in use is waited for, though not for long.
func TestListenAgain(t *testing.T) {
	t.Parallel()
	before, err := ports.Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = ports.Listen(soon, before.Addr().String())
	require.ErrorContains(t, err, "already in use")
	tried := 0
	require.NoError(t, ports.Again(t.Context(), func() error {
		if tried++; tried == 2 {
			require.NoError(t, before.Close())
		}
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", before.Addr().String())
		if err == nil {
			err = listener.Close()
		}
		return err
	}))
	require.Equal(t, 2, tried)
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
