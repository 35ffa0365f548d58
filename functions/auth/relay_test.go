package main

import (
	"context"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// The ways through a relay.
const (
	there = 0
	back  = 1
)

// A relay stands between the function and PostgreSQL and can cut what passes.
type relay struct {
	address string
	passed  [2]atomic.Int64
	limit   [2]atomic.Int64
}

func newRelay(t *testing.T, target string) *relay {
	t.Helper()
	ctx := context.Background()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &relay{address: listener.Addr().String()}
	r.cutAfter(there, math.MaxInt64)
	var group sync.WaitGroup
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		group.Wait()
	})
	group.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := (&net.Dialer{}).DialContext(ctx, "tcp", target)
			if err != nil {
				_ = client.Close()
				continue
			}
			group.Go(func() { r.pass(there, server, client) })
			group.Go(func() { r.pass(back, client, server) })
		}
	})
	return r
}

// cutAfter has connections cut once that many bytes more have passed one way.
func (r *relay) cutAfter(way int, bytes int64) {
	for w := range r.passed {
		r.passed[w].Store(0)
		r.limit[w].Store(math.MaxInt64)
	}
	r.limit[way].Store(bytes)
}

func (r *relay) pass(way int, to, from net.Conn) {
	defer func() { _ = to.Close() }()
	defer func() { _ = from.Close() }()
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		left := r.limit[way].Load() - r.passed[way].Load()
		if cut := min(int64(n), left); cut > 0 {
			if _, err := to.Write(buffer[:cut]); err != nil {
				return
			}
		}
		if r.passed[way].Add(int64(n)); err != nil || int64(n) > left {
			return
		}
	}
}
