package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/pg"
)

// consume has a consumer in this function's place do other work. It has that long for it.
func (b *bundle) consume(t *testing.T, timeout time.Duration, work func(context.Context, events.Event, int) (events.Effect, error)) {
	t.Helper()
	var mode pg.ExecMode
	require.NoError(t, mode.Decode(b.DB.ExecMode()))
	db, err := pg.Open(t.Context(), pg.Config{URL: b.DB.URL("honeydue_media"), ExecMode: mode, PoolSize: 4})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	server := httptest.NewServer(&events.Consumer{Name: "media", DB: db, Log: slog.New(slog.DiscardHandler), Timeout: timeout, Work: work})
	t.Cleanup(server.Close)
	b.url = server.URL
}

// Attempts count what the event may have done, and not what was in its way.
func TestAttemptsOfWork(t *testing.T) {
	t.Parallel()
	b := setup(t, devtest.NewBucket(t))
	event := b.tell(t, 1)
	var attempts []int
	answers := []error{
		events.Later(errors.New("the bucket is away")), events.Later(errors.New("the bucket is away")), errors.New("broken"),
		events.Later(errors.New("the bucket is away")), errors.New("broken"), events.Permanent(errors.New("hopeless")),
	}
	b.consume(t, time.Minute, func(_ context.Context, _ events.Event, attempt int) (events.Effect, error) {
		attempts = append(attempts, attempt)
		return nothing, answers[len(attempts)-1]
	})
	for _, want := range []string{"pending 0", "pending 0", "pending 1", "pending 1", "pending 2"} {
		require.Equal(t, http.StatusServiceUnavailable, b.deliver(t, event))
		require.Equal(t, want, b.delivery(t, event))
	}
	require.Equal(t, http.StatusNoContent, b.deliver(t, event))
	require.Equal(t, "dead 3 hopeless", b.delivery(t, event))
	require.Equal(t, []int{1, 1, 1, 2, 2, 3}, attempts)
}

// What took all of its time may be the reason itself.
func TestAnAttemptOutOfTimeCounts(t *testing.T) {
	t.Parallel()
	b := setup(t, devtest.NewBucket(t))
	event := b.tell(t, 1)
	b.consume(t, 3*time.Second, func(ctx context.Context, _ events.Event, _ int) (events.Effect, error) {
		<-ctx.Done()
		return nil, events.Later(ctx.Err())
	})
	require.Equal(t, http.StatusServiceUnavailable, b.deliver(t, event))
	require.Equal(t, "pending 1", b.delivery(t, event))
}

func TestTwoWorkersMakeOneEffect(t *testing.T) {
	t.Parallel()
	b := setup(t, devtest.NewBucket(t))
	event := b.tell(t, 1)
	var working sync.WaitGroup
	working.Add(2)
	var effects, afters atomic.Int64
	b.consume(t, time.Minute, func(context.Context, events.Event, int) (events.Effect, error) {
		working.Done()
		working.Wait() // for the other
		return func(context.Context, pgx.Tx) (func(context.Context), error) {
			effects.Add(1)
			return func(context.Context) { afters.Add(1) }, nil
		}, nil
	})
	statuses := make([]int, 2)
	var group sync.WaitGroup
	for i := range statuses {
		group.Go(func() { statuses[i], _ = post(b.url, event) })
	}
	group.Wait()
	require.Equal(t, []int{http.StatusNoContent, http.StatusNoContent}, statuses)
	require.EqualValues(t, 1, effects.Load())
	require.EqualValues(t, 1, afters.Load())
	require.Equal(t, "done 2", b.delivery(t, event))
}
