package broker_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/broker"
)

func exact(name, value string) []broker.Filter {
	return []broker.Filter{{Exact: map[string]string{name: value}}}
}

func reply(w http.ResponseWriter, id, kind string) {
	w.Header().Set("Ce-Specversion", "1.0")
	w.Header().Set("Ce-Id", id)
	w.Header().Set("Ce-Type", kind)
	w.Header().Set("Ce-Source", "/replier")
}

func TestReply(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"binary": func(w http.ResponseWriter, _ *http.Request) {
			reply(w, "reply-1", "replied")
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("X-Request-Id", "r9")
			w.Header().Set("Set-Cookie", "a=b")
			_, _ = io.WriteString(w, "hello")
		},
		"structured": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/cloudevents+json")
			w.Header().Set("X-Request-Id", "r9")
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"specversion":"1.0","id":"reply-1","type":"replied","source":"/replier","datacontenttype":"text/plain","data":"hello"}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			replier := newConsumer(t, func(_ int, w http.ResponseWriter, r *http.Request) { answer(w, r) })
			listener := newConsumer(t, always(http.StatusNoContent))
			b := setup(t, []broker.Trigger{
				{Name: "replier", Subscriber: to(replier), Attributes: map[string]string{"type": "asked"}},
				{Name: "listener", Subscriber: to(listener), Filters: exact("type", "replied")},
			})
			b.publish(t, "Ce-Type", "asked")
			got := listener.next(t)
			require.Equal(t, "hello", got.body)
			require.Equal(t, "reply-1", got.header.Get("Ce-Id"))
			require.Equal(t, "text/plain", got.header.Get("Content-Type"))
			require.Equal(t, "r9", got.header.Get("X-Request-Id"))
			require.Empty(t, got.header.Get("Set-Cookie"))
			require.Equal(t, "reply", got.header.Get("Prefer"))
			require.NotEmpty(t, got.header.Get("Ce-Knativearrivaltime"))
			require.Empty(t, got.header.Get("Ce-Knativebrokerttl"))
			b.end(t, "listener")
		})
	}
}

// Two consumers that answer each other come to an end, and the one whose reply was one too many is told of.
func TestLoop(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		headers []string
		want    int
	}{
		"own TTL":     {[]string{"Ce-Knativebrokerttl", "4"}, 3},
		"default TTL": {nil, 255},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			echo := newConsumer(t, func(n int, w http.ResponseWriter, _ *http.Request) {
				reply(w, fmt.Sprintf("reply-%d", n+1), "echoed")
				// A consumer cannot make its replies live longer.
				w.Header().Set("Ce-Knativebrokerttl", "1000")
			})
			b := setup(t, trigger(echo, broker.Delivery{Retry: 2}))
			b.publish(t, test.headers...)
			// A delivery ends once its reply is taken, so ends come in any order.
			var failed []broker.Attempt
			for range test.want {
				steps := b.end(t, "notifications")
				if end := steps[len(steps)-1]; end.State != broker.Delivered {
					failed = append(failed, end)
				}
			}
			require.Len(t, failed, 1)
			require.Equal(t, broker.Failed, failed[0].State)
			require.Equal(t, http.StatusBadRequest, failed[0].Status)
			require.Equal(t, 1, failed[0].Number)
			require.ErrorContains(t, failed[0].Err, "come round too often")
			require.Len(t, echo.got, test.want)
		})
	}
}

// A reply that finds the Broker full waits and tries again; its consumer is not asked a second time.
func TestReplyWhenFull(t *testing.T) {
	t.Parallel()
	replier := newConsumer(t, func(_ int, w http.ResponseWriter, _ *http.Request) { reply(w, "reply-1", "replied") })
	listener := newConsumer(t, always(http.StatusNoContent))
	b := setup(t, []broker.Trigger{
		{Name: "replier", Subscriber: to(replier), Filters: exact("type", "asked"), Delivery: &broker.Delivery{Retry: 2}},
		{Name: "listener", Subscriber: to(listener), Filters: exact("type", "replied")},
	}, func(o *broker.Options) { o.MaxEvents = 1 })
	b.publish(t, "Ce-Type", "asked")
	steps := b.end(t, "replier")
	require.Equal(t, []broker.State{
		broker.Pending, broker.Delivering, broker.Retrying, broker.Retrying, broker.Failed,
	}, states(steps))
	require.Equal(t, http.StatusServiceUnavailable, steps[4].Status)
	require.ErrorContains(t, steps[4].Err, "pass on reply: the broker is full")
	require.Len(t, replier.got, 1)
}
