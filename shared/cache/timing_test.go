package cache

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/timing"
)

var toldOfCache = regexp.MustCompile(`, cache;dur=([\d.]+), `)

// inRequest runs ask as a request, and returns the time of the cache that its answer tells.
func inRequest(t *testing.T, ask func(ctx context.Context)) time.Duration {
	t.Helper()
	recorder, whole := httptest.NewRecorder(), time.Duration(0)
	timing.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		began := time.Now()
		ask(r.Context())
		whole = time.Since(began)
	}), "").ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	told := toldOfCache.FindStringSubmatch(recorder.Header().Get("Server-Timing"))
	require.NotNil(t, told)
	ms, err := strconv.ParseFloat(told[1], 64)
	require.NoError(t, err)
	cache := time.Duration(ms * float64(time.Millisecond))
	require.LessOrEqual(t, cache, whole+time.Millisecond/10)
	return cache
}

// TestTimeOfTheCacheIsTold: a Redis that hangs costs a request its budget, and the answer says so.
func TestTimeOfTheCacheIsTold(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	c := openCache(t, server.URL(0), patient())
	c.Born(t.Context(), 7)
	require.Zero(t, inRequest(t, func(context.Context) {}))
	require.Zero(t, inRequest(t, func(context.Context) { c.Board(t.Context(), view(7)) }), "what is asked outside of the request")
	require.Positive(t, inRequest(t, func(ctx context.Context) {
		for range 50 {
			c.Board(ctx, view(7))
		}
	}))
	server.Pause()
	t.Cleanup(server.Resume)
	hanging := openCache(t, server.URL(0), Config{Budget: budget}.times())
	require.GreaterOrEqual(t, inRequest(t, func(ctx context.Context) { request(ctx, t, hanging) }), budget)
	require.Less(t, inRequest(t, func(ctx context.Context) { hanging.Token(ctx, []byte("hash")) }), hanging.times.readBudget, "spared")
	require.GreaterOrEqual(t, inRequest(t, func(ctx context.Context) { require.Error(t, hanging.Ping(ctx)) }), hanging.times.readBudget)
}
