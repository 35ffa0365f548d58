package broker_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/broker"
	"github.com/honeydue/backend/shared/devserver/ports"
)

func TestBinaryDeliveryOnTheWire(t *testing.T) {
	t.Parallel()
	c := newConsumer(t, always(http.StatusNoContent))
	arrival := time.Date(2026, 3, 1, 7, 0, 0, 123, time.UTC)
	b := setup(t, trigger(c, broker.Delivery{}), func(o *broker.Options) { o.Now = func() time.Time { return arrival } })
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	wire := func(extra http.Header) http.Header {
		header := http.Header{
			"Accept-Encoding":       {"gzip"},
			"User-Agent":            {"Go-http-client/1.1"},
			"Content-Length":        {"10"},
			"Content-Type":          {"application/json"},
			"Ce-Specversion":        {"1.0"},
			"Ce-Id":                 {"event-1"},
			"Ce-Type":               {"com.myhoneydue.task.completed.v1"},
			"Ce-Source":             {"/functions/tasks"},
			"Ce-Knativearrivaltime": {"2026-03-01T07:00:00.000000123Z"},
			"Kn-Namespace":          {"honeydue"},
			"Prefer":                {"reply"},
		}
		for name, values := range extra {
			header[name] = values
		}
		return header
	}

	t.Run("binary", func(t *testing.T) {
		b.publish(t, "Ce-Subject", "Straße 7", "Ce-Time", "2026-02-28T23:59:59.5+01:00", "Ce-Tenant", "blue",
			"Ce-Traceparent", trace, "Ce-Knativebrokerttl", "7", "X-Request-Id", "r1", "Knative-X", "y",
			"Authorization", "Bearer secret", "Cookie", "a=b", "Retry-After", "3")
		got := c.next(t)
		require.Equal(t, http.MethodPost, got.method)
		require.Equal(t, "/", got.path)
		require.Equal(t, `{"task":7}`, got.body)
		require.Equal(t, wire(http.Header{
			"Ce-Subject": {"Straße 7"}, "Ce-Time": {"2026-02-28T22:59:59.5Z"}, "Ce-Tenant": {"blue"},
			"Ce-Traceparent": {trace}, "Traceparent": {trace}, "X-Request-Id": {"r1"}, "Knative-X": {"y"},
		}), got.header)
	})
	t.Run("trace of the request wins", func(t *testing.T) {
		const hop = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
		b.publish(t, "Ce-Traceparent", trace, "Traceparent", hop, "Tracestate", "a=b")
		require.Equal(t, wire(http.Header{
			"Ce-Traceparent": {trace}, "Traceparent": {hop}, "Tracestate": {"a=b"},
		}), c.next(t).header)
	})
	t.Run("structured becomes binary", func(t *testing.T) {
		req, err := http.NewRequest(http.MethodPost, b.url, strings.NewReader(`{"specversion":"1.0","id":"event-1",
			"type":"com.myhoneydue.task.completed.v1","source":"/functions/tasks","datacontenttype":"application/json",
			"data":{"task":7},"number":3,"flag":true}`))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/cloudevents+json")
		require.Equal(t, http.StatusAccepted, do(t, req).StatusCode)
		got := c.next(t)
		require.Equal(t, `{"task":7}`, got.body)
		require.Equal(t, wire(http.Header{"Ce-Number": {"3"}, "Ce-Flag": {"true"}}), got.header)
	})
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	retried := map[int]bool{404: true, 408: true, 409: true, 429: true}
	for _, status := range []int{
		200, 201, 202, 204, 299, 300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 406, 408, 409, 410, 413, 415,
		418, 421, 422, 425, 426, 428, 429, 451, 499, 500, 501, 502, 503, 504, 507, 508, 511, 599,
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			c := newConsumer(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
			})
			b := setup(t, trigger(c, broker.Delivery{Retry: 2}))
			b.publish(t)
			steps := b.end(t, "notifications")
			end := steps[len(steps)-1]
			require.Equal(t, status, end.Status)
			switch {
			case status < 300:
				require.Equal(t, broker.Delivered, end.State)
				require.Equal(t, 1, end.Number)
				require.NoError(t, end.Err)
			case status >= 500 || retried[status]:
				require.Equal(t, broker.Failed, end.State)
				require.Equal(t, 3, end.Number)
			default:
				require.Equal(t, broker.Failed, end.State)
				require.Equal(t, 1, end.Number)
			}
			require.Len(t, c.got, end.Number)
		})
	}
}

func TestSteps(t *testing.T) {
	t.Parallel()
	c := newConsumer(t, statuses(503, 500, 204))
	b := setup(t, trigger(c, broker.Delivery{Retry: 5}))
	b.publish(t, "Ce-Subject", "task/7")

	event := <-b.seen
	require.Equal(t, broker.Attempt{
		ID: "event-1", Type: "com.myhoneydue.task.completed.v1", Source: "/functions/tasks", Subject: "task/7",
		Time: event.Time, State: broker.Pending,
	}, event)
	steps := b.end(t, "notifications")
	require.Equal(t, []broker.State{
		broker.Pending, broker.Delivering, broker.Retrying, broker.Delivering, broker.Retrying, broker.Delivering, broker.Delivered,
	}, states(steps))
	numbers, codes := make([]int, len(steps)), make([]int, len(steps))
	for i, step := range steps {
		numbers[i], codes[i] = step.Number, step.Status
		require.Equal(t, c.URL, step.Consumer)
		require.Equal(t, "event-1", step.ID)
		require.Equal(t, step.State == broker.Retrying, step.Err != nil)
	}
	require.Equal(t, []int{0, 1, 1, 2, 2, 3, 3}, numbers)
	require.Equal(t, []int{0, 0, 503, 0, 500, 0, 204}, codes)
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	const s, ms = time.Second, time.Millisecond
	for name, test := range map[string]struct {
		delivery broker.Delivery
		want     []time.Duration
	}{
		"exponential":     {broker.Delivery{Retry: 5, BackoffPolicy: "exponential", BackoffDelay: "PT1S"}, []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s}},
		"exponential, ms": {broker.Delivery{Retry: 3, BackoffPolicy: "exponential", BackoffDelay: "PT0.2S"}, []time.Duration{200 * ms, 400 * ms, 800 * ms}},
		"linear":          {broker.Delivery{Retry: 4, BackoffPolicy: "linear", BackoffDelay: "PT2S"}, []time.Duration{0, 2 * s, 4 * s, 6 * s}},
		"no policy":       {broker.Delivery{Retry: 2, BackoffDelay: "PT1S"}, []time.Duration{0, 0}},
		"no delay":        {broker.Delivery{Retry: 2, BackoffPolicy: "exponential"}, []time.Duration{0, 0}},
		"no retry":        {broker.Delivery{BackoffPolicy: "exponential", BackoffDelay: "PT1S"}, nil},
		"never overflows": {broker.Delivery{Retry: 3, BackoffPolicy: "exponential", BackoffDelay: "P106751D"}, []time.Duration{106751 * 24 * time.Hour, 1<<63 - 1, 1<<63 - 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsumer(t, always(http.StatusServiceUnavailable))
			b := setup(t, trigger(c, test.delivery))
			b.publish(t)
			b.end(t, "notifications")
			require.Equal(t, test.want, b.waited())
		})
	}
}

func TestWhoseDelivery(t *testing.T) {
	t.Parallel()
	once, own := &broker.Delivery{}, &broker.Delivery{Retry: 1}
	for name, test := range map[string]struct {
		broker, trigger *broker.Delivery
		attempts        int
	}{
		"the Trigger's as a whole": {own, once, 1},
		"else the Broker's":        {own, nil, 2},
		"else Eventing's":          {nil, nil, 11},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsumer(t, always(http.StatusServiceUnavailable))
			b := setup(t, []broker.Trigger{{Name: "mail", Subscriber: to(c), Delivery: test.trigger}},
				func(o *broker.Options) { o.Delivery = test.broker })
			b.publish(t)
			steps := b.end(t, "mail")
			require.Equal(t, test.attempts, steps[len(steps)-1].Number)
		})
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	const s = time.Second
	now := time.Date(2026, 3, 1, 7, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		limit  string
		status int
		header string
		want   time.Duration
	}{
		"longer than the back-off":  {"PT1M", 429, "30", 30 * s},
		"also for 503":              {"PT1M", 503, "30", 30 * s},
		"as a date":                 {"PT1M", 503, "Sun, 01 Mar 2026 07:00:20 GMT", 20 * s},
		"shorter than the back-off": {"PT1M", 429, "1", 5 * s},
		"over the limit":            {"PT10S", 429, "30", 10 * s},
		"limit under the back-off":  {"PT1S", 429, "30", 5 * s},
		"not for 500":               {"PT1M", 500, "30", 5 * s},
		"not unless the spec asks":  {"", 429, "30", 5 * s},
		"nor when it says PT0S":     {"PT0S", 429, "30", 5 * s},
		"a date long over":          {"PT1M", 503, "Sun, 01 Mar 2020 07:00:20 GMT", 5 * s},
		"negative":                  {"PT1M", 429, "-30", 5 * s},
		"more than fits":            {"PT1M", 429, "99999999999999999999", 5 * s},
		"nonsense":                  {"PT1M", 429, "soon", 5 * s},
		"absent":                    {"PT1M", 429, "", 5 * s},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsumer(t, func(n int, w http.ResponseWriter, _ *http.Request) {
				if n > 0 {
					return
				}
				w.Header().Set("Retry-After", test.header)
				w.WriteHeader(test.status)
			})
			delivery := broker.Delivery{Retry: 1, BackoffPolicy: "exponential", BackoffDelay: "PT5S", RetryAfterMax: test.limit}
			b := setup(t, trigger(c, delivery), func(o *broker.Options) { o.Now = func() time.Time { return now } })
			b.publish(t)
			b.end(t, "notifications")
			require.Equal(t, []time.Duration{test.want}, b.waited())
		})
	}
}

func TestAnswersThatFail(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"a body that is no event": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") },
		"JSON that is no event": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{}`)
		},
		"an event without an id": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Ce-Specversion", "1.0")
			w.Header().Set("Ce-Type", "t")
			w.Header().Set("Ce-Source", "/s")
		},
		"a header that is only the prefix": func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Ce-"] = []string{"x"}
			w.Header().Set("Ce-Specversion", "1.0")
		},
		"a batch": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/cloudevents-batch+json")
			_, _ = io.WriteString(w, `[]`)
		},
		"more than 1 MiB": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<20+1)) },
		"a body that breaks off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "half")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsumer(t, func(n int, w http.ResponseWriter, r *http.Request) {
				if n < 2 {
					answer(w, r)
				}
			})
			b := setup(t, trigger(c, broker.Delivery{Retry: 2}))
			b.publish(t)
			steps := b.end(t, "notifications")
			require.Equal(t, broker.Delivered, steps[len(steps)-1].State)
			require.Equal(t, 3, steps[len(steps)-1].Number)
			require.Equal(t, http.StatusOK, steps[2].Status)
			require.Error(t, steps[2].Err)
		})
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	port, err := ports.Free(t.Context())
	require.NoError(t, err)
	address := "http://user:hunter2@" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	b := setup(t, []broker.Trigger{{
		Name: "notifications", Subscriber: broker.Destination{URI: address}, Delivery: &broker.Delivery{Retry: 2},
	}})
	b.publish(t)
	steps := b.end(t, "notifications")
	end := steps[len(steps)-1]
	require.Equal(t, broker.Failed, end.State)
	require.Equal(t, 3, end.Number)
	require.Zero(t, end.Status)
	require.ErrorContains(t, end.Err, "connection refused")
	require.Eventually(t, func() bool { return b.log.String() != "" }, patience, 1e6)
	require.NotContains(t, b.log.String(), "hunter2")
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	c := newConsumer(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 0 {
			<-over
		}
		w.WriteHeader(http.StatusNoContent)
	})
	t.Cleanup(func() { close(over) })
	b := setup(t, trigger(c, broker.Delivery{Retry: 100, Timeout: "PT0.05S"}))
	b.publish(t)
	steps := b.end(t, "notifications")
	require.ErrorIs(t, steps[2].Err, context.DeadlineExceeded)
	require.Equal(t, broker.Delivered, steps[len(steps)-1].State)
}

// The resolver is asked at each attempt, so a consumer may move or appear meanwhile.
func TestResolver(t *testing.T) {
	t.Parallel()
	first, second := newConsumer(t, always(http.StatusServiceUnavailable)), newConsumer(t, always(http.StatusNoContent))
	ref := broker.Ref{APIVersion: "serving.knative.dev/v1", Kind: "Service", Name: "notifications"}
	var asked []broker.Ref
	var mu sync.Mutex
	b := setup(t, []broker.Trigger{{
		Name: "t", Subscriber: broker.Destination{Ref: &ref, URI: "/events?v=1"}, Delivery: &broker.Delivery{Retry: 3},
	}}, func(o *broker.Options) {
		o.Resolve = func(_ context.Context, ref broker.Ref) (string, error) {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, ref)
			switch len(asked) {
			case 1:
				return "", errors.New("not there yet")
			case 2:
				return "nowhere", nil
			case 3:
				return first.URL, nil
			}
			return second.URL, nil
		}
	})
	b.publish(t)
	steps := b.end(t, "t")
	require.Equal(t, broker.Delivered, steps[len(steps)-1].State)
	require.Equal(t, "notifications", steps[0].Consumer)
	require.ErrorContains(t, steps[2].Err, "resolve Service notifications: not there yet")
	require.ErrorContains(t, steps[4].Err, "no absolute http address")
	require.Equal(t, "/events?v=1", first.next(t).path)
	require.Equal(t, "/events?v=1", second.next(t).path)
	ref.Namespace = "honeydue"
	require.Equal(t, []broker.Ref{ref, ref, ref, ref}, asked)
}

func TestDeadLetterSink(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer     http.HandlerFunc
		attempts   int
		code, data string
	}{
		"refused for good": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "no")
		}, 1, "403", "no"},
		"out of retries":          {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, 3, "503", ""},
		"a body that is no event": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }, 3, "502", "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsumer(t, func(_ int, w http.ResponseWriter, r *http.Request) { test.answer(w, r) })
			sink := newConsumer(t, statuses(500, 204))
			dead := to(sink)
			b := setup(t, trigger(c, broker.Delivery{Retry: 2, DeadLetterSink: &dead}))
			b.publish(t)
			steps := b.end(t, "notifications")
			require.Equal(t, broker.Dead, steps[len(steps)-1].State)
			require.Equal(t, test.attempts, steps[len(steps)-1].Number)
			sink.next(t)
			got := sink.next(t)
			require.Equal(t, `{"task":7}`, got.body)
			require.Equal(t, "event-1", got.header.Get("Ce-Id"))
			require.Equal(t, c.URL, got.header.Get("Ce-Knativeerrordest"))
			require.Equal(t, test.code, got.header.Get("Ce-Knativeerrorcode"))
			data, err := base64.StdEncoding.DecodeString(got.header.Get("Ce-Knativeerrordata"))
			require.NoError(t, err)
			require.Equal(t, test.data, string(data))
			require.Empty(t, got.header.Get("Prefer"))
			require.Equal(t, "honeydue", got.header.Get("Kn-Namespace"))
		})
	}
}

func TestDropped(t *testing.T) {
	t.Parallel()
	c, sink := newConsumer(t, always(http.StatusInternalServerError)), newConsumer(t, always(http.StatusForbidden))
	dead := to(sink)
	b := setup(t, trigger(c, broker.Delivery{Retry: 1, DeadLetterSink: &dead}))
	b.publish(t, "Ce-Subject", "secret-subject")
	steps := b.end(t, "notifications")
	require.Equal(t, broker.Failed, steps[len(steps)-1].State)
	require.ErrorContains(t, steps[len(steps)-1].Err, "consumer answered 500; dead letter sink: consumer answered 403")
	require.Eventually(t, func() bool { return b.log.String() != "" }, patience, 1e6)
	line := b.log.String()
	for _, want := range []string{
		`"msg":"event dropped"`, `"event_id":"event-1"`, `"event_type":"com.myhoneydue.task.completed.v1"`,
		`"trigger":"notifications"`, `"attempts":2`, `"status":500`,
	} {
		require.Contains(t, line, want)
	}
	require.NotContains(t, line, `task\":7`)
	require.NotContains(t, line, "secret-subject")
}
