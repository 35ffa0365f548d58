package timing_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/timing"
)

func TestWhatOverlapsCountsOnce(t *testing.T) {
	t.Parallel()
	const each = 20 * time.Millisecond
	var took time.Duration
	answer := call(t.Context(), t, http.MethodGet, serve(t, func(_ http.ResponseWriter, r *http.Request) {
		ctx, began := r.Context(), time.Now()
		var side sync.WaitGroup
		for range 8 {
			side.Go(func() {
				timing.Begin(ctx, timing.Database)
				defer timing.End(ctx, timing.Database)
				waits(ctx, timing.Database, each)
			})
		}
		side.Wait()
		waits(ctx, timing.Database, each)
		took = time.Since(began)
		waits(ctx, timing.Cache, each)
	}))
	db, cache, _ := told(t, answer)
	require.GreaterOrEqual(t, db, 40.0)
	require.LessOrEqual(t, db, float64(took.Microseconds())/1e3+0.1)
	require.GreaterOrEqual(t, cache, 20.0)
}

func TestWhatIsStillOpenCountsUntilTheStatus(t *testing.T) {
	t.Parallel()
	answer := call(t.Context(), t, http.MethodGet, serve(t, func(_ http.ResponseWriter, r *http.Request) {
		timing.End(r.Context(), timing.Database) // one too many
		timing.Begin(r.Context(), timing.Database)
		<-time.After(5 * time.Millisecond)
	}))
	db, _, _ := told(t, answer)
	require.GreaterOrEqual(t, db, 5.0)
}

func TestRequestsDoNotMix(t *testing.T) {
	t.Parallel()
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/waits" {
			waits(r.Context(), timing.Database, 10*time.Millisecond)
		}
	})
	var group sync.WaitGroup
	all := map[string][]*http.Response{"/waits": make([]*http.Response, 8), "/": make([]*http.Response, 8)}
	for path, answers := range all {
		for i := range answers {
			group.Go(func() { answers[i] = call(t.Context(), t, http.MethodGet, url+path) })
		}
	}
	group.Wait()
	for i := range 8 {
		db, _, cold := told(t, all["/waits"][i])
		require.GreaterOrEqual(t, db, 10.0)
		none, _, same := told(t, all["/"][i])
		require.Zero(t, none)
		require.InDelta(t, cold, same, 0)
	}
}

func TestWithheldTimesAreNotTold(t *testing.T) {
	t.Parallel()
	answer := call(t.Context(), t, http.MethodGet, serve(t, func(_ http.ResponseWriter, r *http.Request) {
		timing.Withhold(r.Context())
		waits(r.Context(), timing.Database, time.Millisecond)
	}))
	require.Regexp(t, `^db, cache, cold;dur=[\d.]+$`, answer.Header.Get("Server-Timing"))
}

func TestOutsideOfARequestNothingHappens(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	timing.Begin(ctx, timing.Cache)
	timing.End(ctx, timing.Cache)
	timing.Withhold(ctx)
}
