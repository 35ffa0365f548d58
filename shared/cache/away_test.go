package cache

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver"
)

// A request may spend its budget on a Redis that does not answer, and a little on noticing that it was spent.
const (
	budget = 50 * time.Millisecond
	notice = 20 * time.Millisecond
)

// TestRedisAway does all that one writing request asks of Redis, on one that is stopped and on one that hangs.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ leave, comeBack func(*devserver.Redis) error }{
		"stopped": {
			func(r *devserver.Redis) error { return r.Stop(t.Context()) },
			func(r *devserver.Redis) error { return r.Start(t.Context()) },
		},
		"hanging": {
			func(r *devserver.Redis) error { r.Pause(); return nil },
			func(r *devserver.Redis) error { r.Resume(); return nil },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startRedis(t)
			cache := openCache(t, server.URL(0), Config{Budget: budget}.times())
			cache.held.Add(tokenKey([]byte("hash")), holding{view(7), "a generation", []byte("a"), time.Now().Add(time.Hour)})
			require.NoError(t, c.leave(server))
			fastest := time.Hour
			for range 10 {
				cache.pauseUntil.Store(0)
				fastest = min(fastest, request(t.Context(), t, cache))
			}
			require.Less(t, fastest, budget+notice)
			require.Error(t, cache.Ping(t.Context()))
			require.NoError(t, c.comeBack(server))
			require.Eventually(t, func() bool {
				cache.Born(t.Context(), 7)
				_, store := cache.Board(t.Context(), view(7))
				store(t.Context(), []byte("a"))
				found, _ := cache.Board(t.Context(), view(7))
				return string(found) == "a"
			}, 20*time.Second, 20*time.Millisecond)
		})
	}
}

// request asks for a token and a board and makes a change, and returns how long that took.
func request(ctx context.Context, t *testing.T, c *Cache) time.Duration {
	t.Helper()
	began := time.Now()
	ctx = OfRequest(ctx)
	token, storeToken := c.Token(ctx, []byte("hash"))
	storeToken(ctx, []byte("alive"))
	board, storeBoard := c.Board(ctx, view(7))
	storeBoard(ctx, []byte("a"))
	c.Mark(ctx, []int64{7})(ctx)
	require.Nil(t, token)
	require.Nil(t, board)
	return time.Since(began)
}

func TestRevokingIsNeverSpared(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c := openCache(t, startRedis(t).URL(0), patient())
	_, store := c.Token(ctx, []byte("hash"))
	store(ctx, []byte("alive"))
	c.pauseUntil.Store(time.Now().Add(time.Hour).UnixNano())
	c.Revoke(ctx, []byte("hash"))
	c.pauseUntil.Store(0)
	found, _ := c.Token(ctx, []byte("hash"))
	require.Nil(t, found)
}

// TestARevokedTokenIsDead runs a slow reader against the end of a session, in each order that their steps can have.
func TestARevokedTokenIsDead(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c := openCache(t, startRedis(t).URL(0), patient())
	const steps = 3
	orders := 0
	for order := range 1 << (2 * steps) {
		reader, ender := 0, 0
		hash, alive := []byte{byte(order)}, true
		var seen bool
		var store func(context.Context, []byte)
		read := []func(){
			func() { _, store = c.Token(ctx, hash) },
			func() { seen = alive },
			func() {
				if seen {
					store(ctx, []byte("alive"))
				}
			},
		}
		end := []func(){
			func() { c.Revoke(ctx, hash) },
			func() { alive = false },
			func() { c.Revoke(ctx, hash) },
		}
		for bit := range 2 * steps {
			if order>>bit&1 == 0 && reader < steps {
				read[reader]()
				reader++
			} else if ender < steps {
				end[ender]()
				ender++
			}
			if found, _ := c.Token(ctx, hash); !alive {
				require.Nil(t, found, "order %06b, step %d", order, bit)
			}
		}
		if reader == steps && ender == steps {
			orders++
		}
	}
	require.GreaterOrEqual(t, orders, 20)
}
