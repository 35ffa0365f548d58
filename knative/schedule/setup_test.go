package schedule_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/broker"
	"github.com/honeydue/backend/knative/schedule"
)

const patience = 10 * time.Second

// clock stands still until a test lets a wait end.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	waits chan wait
}

type wait struct {
	d    time.Duration
	over chan time.Time
}

func newClock(at string) *clock {
	now, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return nil
	}
	return &clock{now: now, waits: make(chan wait, 100)}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) After(d time.Duration) <-chan time.Time {
	w := wait{d, make(chan time.Time, 1)}
	c.waits <- w
	return w.over
}

// pass ends the next wait, short of what it asked for by early, and returns how long it asked for.
func (c *clock) pass(t *testing.T, early time.Duration) time.Duration {
	t.Helper()
	select {
	case w := <-c.waits:
		c.mu.Lock()
		c.now = c.now.Add(w.d - early)
		c.mu.Unlock()
		w.over <- time.Time{}
		return w.d
	case <-time.After(patience):
		require.FailNow(t, "nobody waits")
	}
	return 0
}

// sink is a server that answers with one status after the other, the last one for ever.
type sink struct {
	*httptest.Server
	got chan received
}

type received struct {
	method, path string
	header       http.Header
	body         string
}

func newSink(t *testing.T, statuses ...int) *sink {
	t.Helper()
	s := &sink{got: make(chan received, 100)}
	var mu sync.Mutex
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.got <- received{r.Method, r.RequestURI, r.Header.Clone(), string(body)}
		mu.Lock()
		defer mu.Unlock()
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(statuses[0])
		if len(statuses) > 1 {
			statuses = statuses[1:]
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *sink) next(t *testing.T) received {
	t.Helper()
	select {
	case r := <-s.got:
		return r
	case <-time.After(patience):
		require.FailNow(t, "the sink got nothing")
	}
	return received{}
}

type bundle struct {
	*schedule.Scheduler
	clock *clock
	log   *syncBuffer
}

// setup starts the sources in namespace honeydue at the given time, without jitter.
func setup(t *testing.T, at string, sources ...schedule.Source) *bundle {
	t.Helper()
	b := &bundle{clock: newClock(at), log: &syncBuffer{}}
	require.NotNil(t, b.clock)
	for i := range sources {
		sources[i].Namespace = "honeydue"
	}
	var err error
	b.Scheduler, err = schedule.New(schedule.Options{
		Sources: sources,
		Log:     slog.New(slog.NewJSONHandler(b.log, nil)),
		Now:     b.clock.Now, After: b.clock.After,
		Jitter: func() time.Duration { return 0 },
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, b.Close(ctx))
	})
	return b
}

func to(s *sink) broker.Destination { return broker.Destination{URI: s.URL + "/honeydue/default"} }

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
