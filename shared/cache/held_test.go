package cache

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// asks is one request of a session for a board.
func (c *Cache) asks(ctx context.Context, session string, of View) (board []byte, store func(context.Context, []byte), held bool) {
	ctx = OfRequest(ctx)
	_, keep := c.Token(ctx, []byte(session))
	keep(ctx, []byte("alive"))
	held = seenIn(ctx).board(of) != nil
	board, keepBoard := c.Board(ctx, of)
	return board, func(_ context.Context, board []byte) { keepBoard(ctx, board) }, held
}

// TestABoardIsHeld follows one session through a process, and what another process does to its boards.
func TestABoardIsHeld(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	url := startRedis(t).URL(0)
	c, other := openCache(t, url, patient()), openCache(t, url, patient())
	c.Born(ctx, 7)
	sees := func(want string, wantHeld bool) func(context.Context, []byte) {
		t.Helper()
		found, store, held := c.asks(ctx, "phone", view(7))
		require.Equal(t, want, string(found))
		require.Equal(t, wantHeld, held)
		return store
	}
	sees("", false)(ctx, []byte("a"))
	sees("a", true)
	found, _, held := c.asks(ctx, "tablet", view(7))
	require.Equal(t, "a", string(found))
	require.False(t, held, "held for a session that has not asked")

	elsewhere := View{7, "2026-11-21:r1:30"}
	found, store, held := c.asks(ctx, "phone", elsewhere)
	require.Nil(t, found)
	require.False(t, held)
	store(ctx, []byte("one home"))
	found, _, held = c.asks(ctx, "phone", elsewhere)
	require.Equal(t, "one home", string(found))
	require.True(t, held)
	sees("a", false) // from Redis, by the generation that came with the token
	sees("a", true)

	settle := other.Mark(ctx, []int64{7})
	store = sees("", false)
	store(ctx, []byte("b"))
	sees("", false)
	settle(ctx)
	sees("", false)(ctx, []byte("c"))
	sees("c", true)

	c.Revoke(ctx, []byte("phone"))
	token, _ := c.Token(OfRequest(ctx), []byte("phone"))
	require.Nil(t, token)
}

// TestWhatIsHeldIsForgotten: as soon as Redis forgets it, with whoever changes it, and at once when it is large.
func TestWhatIsHeldIsForgotten(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c := openCache(t, startRedis(t).URL(0), patient())
	c.Born(ctx, 7)
	_, store, _ := c.asks(ctx, "phone", view(7))
	store(ctx, bytes.Repeat([]byte("x"), largestHolding+1))
	found, _, held := c.asks(ctx, "phone", view(7))
	require.Len(t, found, largestHolding+1)
	require.False(t, held)

	c.Born(ctx, 8)
	_, store, _ = c.asks(ctx, "desk", view(8))
	store(ctx, []byte("a"))
	_, _, held = c.asks(ctx, "desk", view(8))
	require.True(t, held)
	c.held.Purge()
	generation, err := c.redis.HGet(ctx, generationKey(8), "g").Result()
	require.NoError(t, err)
	require.NoError(t, c.redis.PExpire(ctx, view(8).key(generation), 200*time.Millisecond).Err())
	require.Eventually(t, func() bool {
		found, _, held := c.asks(ctx, "desk", view(8))
		return found == nil && !held
	}, time.Minute, time.Millisecond, "held for longer than Redis keeps it")

	_, store, _ = c.asks(ctx, "desk", view(8))
	store(ctx, []byte("b"))
	request := OfRequest(ctx)
	c.Token(request, []byte("desk"))
	require.NotNil(t, seenIn(request).board(view(8)))
	c.Mark(request, []int64{8})(request)
	require.Nil(t, seenIn(request).board(view(8)), "what a request saw before its own change")
}

// TestHalfAnAnswerSaysNothing has a marker stand beside the generation, and the answer end behind each of its bytes.
func TestHalfAnAnswerSaysNothing(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	server := startRedis(t)
	writer := openCache(t, server.URL(0), patient())
	writer.Born(ctx, 7)
	generation, err := writer.redis.HGet(ctx, generationKey(7), "g").Result()
	require.NoError(t, err)
	writer.Mark(ctx, []int64{7})
	control := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	whole := 0
	for n := range 1000 {
		proxy := toxiproxy.NewProxy(control, "redis", "127.0.0.1:0", net.JoinHostPort("127.0.0.1", strconv.Itoa(server.Port())))
		require.NoError(t, proxy.Start())
		_, err := proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"type": "limit_data", "stream": "downstream", "attributes": {"bytes": %d}}`, n)))
		require.NoError(t, err)
		c := openCache(t, "redis://"+proxy.Listen, patient())
		c.held.Add(tokenKey([]byte("phone")), holding{view(7), generation, []byte("before"), time.Now().Add(time.Hour)})
		request := OfRequest(ctx)
		c.Token(request, []byte("phone"))
		require.Nil(t, seenIn(request).board(view(7)), "after %d bytes", n)
		if c.pauseUntil.Load() == 0 {
			whole++
		}
		proxy.Stop()
	}
	require.Positive(t, whole, "no answer came as a whole")
	require.Less(t, whole, 1000)
}
