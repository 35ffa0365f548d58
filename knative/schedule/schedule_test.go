package schedule_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/broker"
	"github.com/honeydue/backend/knative/schedule"
)

func TestTicks(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		line, zone, from string
		want             []string
	}{
		"every five minutes": {"*/5 * * * *", "UTC", "2026-03-01T07:01:30Z",
			[]string{"2026-03-01T07:05:00Z", "2026-03-01T07:10:00Z", "2026-03-01T07:15:00Z"}},
		"on a tick, the next one": {"*/5 * * * *", "", "2026-03-01T07:05:00Z",
			[]string{"2026-03-01T07:10:00Z"}},
		"every minute when empty": {"", "", "2026-03-01T07:05:00Z",
			[]string{"2026-03-01T07:06:00Z", "2026-03-01T07:07:00Z"}},
		"weekdays in Berlin": {"0 9 * * 1-5", "Europe/Berlin", "2026-03-27T12:00:00Z",
			[]string{"2026-03-30T07:00:00Z", "2026-03-31T07:00:00Z"}},
		"day before and after clocks go forward": {"0 9 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z",
			[]string{"2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z", "2026-03-30T07:00:00Z"}},
		"an hour that is left out": {"30 2 * * *", "America/New_York", "2026-03-07T00:00:00Z",
			[]string{"2026-03-07T07:30:00Z", "2026-03-09T06:30:00Z", "2026-03-10T06:30:00Z"}},
		"an hour that comes twice": {"30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z",
			[]string{"2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", "2026-11-02T06:30:00Z"}},
		"hourly through that hour": {"0 * * * *", "America/New_York", "2026-11-01T04:30:00Z",
			[]string{"2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z", "2026-11-01T07:00:00Z"}},
		"half an hour off": {"0 6 * * *", "Asia/Kolkata", "2026-03-01T00:00:00Z",
			[]string{"2026-03-01T00:30:00Z", "2026-03-02T00:30:00Z"}},
		"29 February":  {"0 0 29 2 *", "UTC", "2026-03-01T00:00:00Z", []string{"2028-02-29T00:00:00Z"}},
		"descriptor":   {"@daily", "UTC", "2026-03-01T07:00:00Z", []string{"2026-03-02T00:00:00Z"}},
		"with seconds": {"30 0 12 * * *", "UTC", "2026-03-01T07:00:00Z", []string{"2026-03-01T12:00:30Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSink(t, http.StatusAccepted)
			b := setup(t, test.from, schedule.Source{Name: "outbox", Schedule: test.line, Timezone: test.zone, Sink: to(s)})
			for _, want := range test.want {
				b.clock.pass(t, 0)
				require.Equal(t, want, s.next(t).header.Get("Ce-Time"))
			}
		})
	}
}

func TestEventOnTheWire(t *testing.T) {
	t.Parallel()
	s := newSink(t, http.StatusAccepted)
	b := setup(t, "2026-03-01T07:00:00Z",
		schedule.Source{Name: "outbox", Schedule: "0 0 1 1 *", Sink: to(s), ContentType: "application/json", Data: `{"n":1}`},
		schedule.Source{Name: "plain", Schedule: "0 0 1 1 *", Sink: to(s), Extensions: map[string]string{"tenant": "blue"}},
		schedule.Source{Name: "bytes", Schedule: "0 0 1 1 *", Sink: to(s), ContentType: "application/octet-stream", DataBase64: "AAH/"},
	)
	wire := func(name string, extra http.Header) http.Header {
		header := http.Header{
			"Accept-Encoding": {"gzip"},
			"User-Agent":      {"Go-http-client/1.1"},
			"Ce-Specversion":  {"1.0"},
			"Ce-Type":         {"dev.knative.sources.ping"},
			"Ce-Source":       {"/apis/v1/namespaces/honeydue/pingsources/" + name},
			"Ce-Time":         {"2026-03-01T07:00:00Z"},
			"Kn-Namespace":    {"honeydue"},
		}
		for name, values := range extra {
			header[name] = values
		}
		return header
	}
	ids := map[string]bool{}
	fire := func(name string) received {
		require.NoError(t, b.Fire(t.Context(), name))
		got := s.next(t)
		require.Equal(t, http.MethodPost, got.method)
		require.Equal(t, "/honeydue/default", got.path)
		id := got.header.Get("Ce-Id")
		require.NoError(t, uuid.Validate(id))
		require.False(t, ids[id], "a fresh id")
		ids[id] = true
		got.header.Del("Ce-Id")
		return got
	}
	for range 2 {
		got := fire("outbox")
		require.Equal(t, `{"n":1}`, got.body)
		require.Equal(t, wire("outbox", http.Header{"Content-Type": {"application/json"}, "Content-Length": {"7"}}), got.header)
	}
	got := fire("plain")
	require.Empty(t, got.body)
	require.Equal(t, wire("plain", http.Header{"Content-Length": {"0"}, "Ce-Tenant": {"blue"}}), got.header)
	got = fire("bytes")
	require.Equal(t, "\x00\x01\xff", got.body)
	require.Equal(t, wire("bytes", http.Header{"Content-Type": {"application/octet-stream"}, "Content-Length": {"3"}}), got.header)
}

// A Broker of our own takes what a schedule sends.
func TestThroughBroker(t *testing.T) {
	t.Parallel()
	consumer := newSink(t, http.StatusNoContent)
	events, err := broker.New(broker.Options{Namespace: "honeydue", Name: "default", Triggers: []broker.Trigger{{
		Name: "sweeper", Subscriber: broker.Destination{URI: consumer.URL},
		Filters: []broker.Filter{{All: []broker.Filter{
			{Exact: map[string]string{"type": schedule.Type}}, {Suffix: map[string]string{"source": "/pingsources/outbox"}},
		}}},
	}}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, events.Close(context.Background())) })
	server := httptest.NewServer(events)
	t.Cleanup(server.Close)
	b := setup(t, "2026-03-01T07:00:00Z",
		schedule.Source{Name: "outbox", Sink: broker.Destination{URI: server.URL + "/honeydue/default"}},
		schedule.Source{Name: "deliveries", Sink: broker.Destination{URI: server.URL + "/honeydue/default"}})
	require.NoError(t, b.Fire(t.Context(), "deliveries"))
	require.NoError(t, b.Fire(t.Context(), "outbox"))
	require.Equal(t, schedule.EventSource("honeydue", "outbox"), consumer.next(t).header.Get("Ce-Source"))
	require.Empty(t, consumer.got)
}

func TestRetries(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	retried := map[int]bool{404: true, 413: true, 425: true, 429: true, 502: true, 503: true, 504: true}
	for _, status := range []int{200, 202, 204, 301, 307, 400, 401, 403, 404, 405, 408, 409, 413, 422, 425, 429, 500, 501, 502, 503, 504} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			s := newSink(t, status)
			b := setup(t, "2026-03-01T07:00:00Z", schedule.Source{Name: "outbox", Schedule: "0 0 1 1 *", Sink: to(s)})
			first := <-b.clock.waits
			require.Greater(t, first.d, time.Hour)
			done := make(chan error, 1)
			go func() { done <- b.Fire(t.Context(), "outbox") }()
			if retried[status] {
				for _, want := range []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms} {
					require.Equal(t, want, b.clock.pass(t, 0))
				}
			}
			err := <-done
			if status < 300 {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, "fire outbox: sink answered "+strconv.Itoa(status))
			}
			require.Empty(t, b.clock.waits)
			want := 1
			if retried[status] {
				want = 6
			}
			require.Len(t, s.got, want)
			id := s.next(t).header.Get("Ce-Id")
			for len(s.got) > 0 {
				require.Equal(t, id, s.next(t).header.Get("Ce-Id"), "a retry is the same event")
			}
		})
	}
}

// A sink that is down costs its tick, with a line in the log, and not the ones after it.
func TestMissedSink(t *testing.T) {
	t.Parallel()
	s := newSink(t, http.StatusInternalServerError, http.StatusAccepted)
	b := setup(t, "2026-03-01T07:00:00Z", schedule.Source{Name: "outbox", Schedule: "*/5 * * * *", Sink: to(s), Data: "secret"})
	b.clock.pass(t, 0)
	s.next(t)
	b.clock.pass(t, 0)
	require.Equal(t, "2026-03-01T07:10:00Z", s.next(t).header.Get("Ce-Time"))
	require.Contains(t, b.log.String(), `"msg":"schedule missed its sink"`)
	require.Contains(t, b.log.String(), `"schedule":"outbox","at":"2026-03-01T07:05:00Z","error":"sink answered 500"`)
	require.NotContains(t, b.log.String(), "secret")
}

// Ticks that pass while a sink hangs are not made up for, and a timer that ends too early fires nothing twice.
func TestNoTickTwice(t *testing.T) {
	t.Parallel()
	s := newSink(t, http.StatusAccepted)
	b := setup(t, "2026-03-01T07:00:00Z", schedule.Source{Name: "outbox", Schedule: "*/5 * * * *", Sink: to(s)})
	require.Equal(t, 5*time.Minute, b.clock.pass(t, 3*time.Millisecond))
	s.next(t)
	require.Equal(t, 5*time.Minute+3*time.Millisecond, b.clock.pass(t, -13*time.Minute))
	require.Equal(t, "2026-03-01T07:23:00Z", s.next(t).header.Get("Ce-Time"))
	require.Equal(t, 2*time.Minute, b.clock.pass(t, 0))
	s.next(t)
}

func TestJitter(t *testing.T) {
	t.Parallel()
	s, c := newSink(t, http.StatusAccepted), newClock("2026-03-01T07:00:00Z")
	ticks, err := schedule.New(schedule.Options{
		Sources: []schedule.Source{{Namespace: "honeydue", Name: "outbox", Sink: to(s)}},
		Now:     c.Now, After: c.After, Jitter: func() time.Duration { return 300 * time.Millisecond },
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ticks.Close(context.Background())) })
	require.Equal(t, time.Minute, c.pass(t, 0))
	require.Equal(t, 300*time.Millisecond, c.pass(t, 0))
	require.Equal(t, "2026-03-01T07:01:00.3Z", s.next(t).header.Get("Ce-Time"))
}

func TestFireUnknown(t *testing.T) {
	t.Parallel()
	b := setup(t, "2026-03-01T07:00:00Z")
	require.ErrorIs(t, b.Fire(t.Context(), "nothing"), schedule.ErrUnknown)
}

func TestFireEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := newSink(t, http.StatusServiceUnavailable)
	b := setup(t, "2026-03-01T07:00:00Z", schedule.Source{Name: "outbox", Sink: to(s)})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Fire(ctx, "outbox") }()
	s.next(t)
	cancel()
	require.Error(t, <-done)
}

// The sink is looked up at each attempt.
func TestResolver(t *testing.T) {
	t.Parallel()
	s, c := newSink(t, http.StatusAccepted), newClock("2026-03-01T07:00:00Z")
	asked := make(chan broker.Ref, 10)
	ref := broker.Ref{APIVersion: "eventing.knative.dev/v1", Kind: "Broker", Name: "default"}
	ticks, err := schedule.New(schedule.Options{
		Sources: []schedule.Source{{Namespace: "honeydue", Name: "outbox", Schedule: "0 0 1 1 *", Sink: broker.Destination{Ref: &ref}}},
		Resolve: func(_ context.Context, ref broker.Ref) (string, error) {
			asked <- ref
			if len(asked) == 1 {
				return "", errors.New("not there yet")
			}
			return s.URL, nil
		},
		Now: c.Now, After: c.After,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ticks.Close(context.Background())) })
	<-c.waits
	done := make(chan error, 1)
	go func() { done <- ticks.Fire(t.Context(), "outbox") }()
	require.Equal(t, 100*time.Millisecond, c.pass(t, 0))
	require.NoError(t, <-done)
	ref.Namespace = "honeydue"
	require.Equal(t, ref, <-asked)
	require.Equal(t, ref, <-asked)
	require.Equal(t, "/", s.next(t).path)
}

func TestCloseCutsRetriesOff(t *testing.T) {
	t.Parallel()
	s := newSink(t, http.StatusServiceUnavailable)
	b := setup(t, "2026-03-01T07:00:00Z", schedule.Source{Name: "outbox", Schedule: "*/5 * * * *", Sink: to(s)})
	b.clock.pass(t, 0)
	s.next(t)
	<-b.clock.waits
	require.NoError(t, b.Close(context.WithoutCancel(t.Context())))
	require.Empty(t, s.got)
	require.Contains(t, b.log.String(), "sink answered 503")
}

func TestCloseGivesUp(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
	}))
	t.Cleanup(hanging.Close)
	b := setup(t, "2026-03-01T07:00:00Z", schedule.Source{Name: "outbox", Sink: broker.Destination{URI: hanging.URL}})
	b.clock.pass(t, 0)
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, b.Close(ctx), context.Canceled)
}
