package broker_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/broker"
)

// stuck is a clock on which no wait ever ends; each is noted.
func stuck(waits chan<- time.Duration) func(*broker.Options) {
	return func(o *broker.Options) {
		o.After = func(d time.Duration) <-chan time.Time {
			waits <- d
			return nil
		}
	}
}

// An event goes to every Trigger that wants it, none waits for another, and no Trigger has more requests open
// than it may.
func TestFanOut(t *testing.T) {
	t.Parallel()
	const events, limit = 40, 4
	hang := make(chan struct{})
	var open, most atomic.Int32
	slow := newConsumer(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		now := open.Add(1)
		for top := most.Load(); now > top && !most.CompareAndSwap(top, now); {
			top = most.Load()
		}
		<-hang
		open.Add(-1)
		w.WriteHeader(http.StatusNoContent)
	})
	quick := newConsumer(t, always(http.StatusNoContent))
	other := newConsumer(t, always(http.StatusNoContent))
	b := setup(t, []broker.Trigger{
		{Name: "slow", Subscriber: to(slow)},
		{Name: "quick", Subscriber: to(quick), Filters: exact("type", "asked"), Attributes: map[string]string{"type": "never"}},
		{Name: "other", Subscriber: to(other), Filters: exact("type", "elsewhere"), Attributes: map[string]string{"type": "asked"}},
	}, func(o *broker.Options) { o.MaxConcurrent = limit })
	for range events {
		require.Equal(t, http.StatusAccepted, b.publish(t, "Ce-Type", "asked").StatusCode)
	}
	for range events {
		quick.next(t)
	}
	require.Eventually(t, func() bool { return open.Load() == limit }, patience, time.Millisecond)
	close(hang)
	for range events {
		slow.next(t)
	}
	require.Equal(t, int32(limit), most.Load())
	require.Empty(t, other.got)
}

// One that waits to retry holds up no other event of its Trigger.
func TestRetryingHoldsNoSlot(t *testing.T) {
	t.Parallel()
	c := newConsumer(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Ce-Id") == "bad" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	waits := make(chan time.Duration, 10)
	b := setup(t, trigger(c, broker.Delivery{Retry: 9, BackoffPolicy: "exponential", BackoffDelay: "PT1H"}),
		stuck(waits), func(o *broker.Options) { o.MaxConcurrent = 1 })
	b.publish(t, "Ce-Id", "bad")
	require.Equal(t, time.Hour, <-waits)
	b.publish(t, "Ce-Id", "good")
	c.next(t)
	require.Equal(t, "good", c.next(t).header.Get("Ce-Id"))
}

func TestCloseCutsBackoffShort(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		codes []int
		want  broker.State
		tries int
	}{
		"one more attempt, which works": {[]int{503, 204}, broker.Delivered, 2},
		"one more attempt, not two":     {[]int{503, 503, 204}, broker.Failed, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsumer(t, statuses(test.codes...))
			waits := make(chan time.Duration, 10)
			b := setup(t, trigger(c, broker.Delivery{Retry: 9, BackoffPolicy: "exponential", BackoffDelay: "PT1H"}), stuck(waits))
			b.publish(t)
			require.Equal(t, time.Hour, <-waits)

			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			require.NoError(t, b.broker.Close(ctx))
			steps := b.end(t, "notifications")
			require.Equal(t, test.want, steps[len(steps)-1].State)
			require.Equal(t, test.tries, steps[len(steps)-1].Number)

			resp := b.publish(t)
			require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
			require.Equal(t, "1", resp.Header.Get("Retry-After"))
			require.NoError(t, b.broker.Close(ctx), "a second time")
		})
	}
}

func TestCloseWaitsForWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	begun, finish := make(chan struct{}), make(chan struct{})
	c := newConsumer(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-finish
		reply(w, "reply-1", "replied")
	})
	listener := newConsumer(t, always(http.StatusNoContent))
	b := setup(t, []broker.Trigger{
		{Name: "asked", Subscriber: to(c), Filters: exact("type", "asked")},
		{Name: "replied", Subscriber: to(listener), Filters: exact("type", "replied")},
	})
	b.publish(t, "Ce-Type", "asked")
	<-begun
	closed := make(chan error, 1)
	go func() { closed <- b.broker.Close(context.WithoutCancel(t.Context())) }()
	require.Eventually(t, func() bool { return b.publish(t).StatusCode == http.StatusServiceUnavailable }, patience, time.Millisecond)
	require.Empty(t, closed)
	close(finish)
	require.NoError(t, <-closed)
	require.Equal(t, "reply-1", listener.next(t).header.Get("Ce-Id"))
}

func TestCloseGivesUp(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	c := newConsumer(t, func(_ int, _ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
	})
	b := setup(t, trigger(c, broker.Delivery{Retry: 9}))
	b.publish(t)
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, b.broker.Close(ctx), context.Canceled)
	steps := b.end(t, "notifications")
	require.Equal(t, broker.Failed, steps[len(steps)-1].State)
	require.ErrorIs(t, steps[len(steps)-1].Err, context.Canceled)
	require.Contains(t, b.log.String(), "event dropped")
}
