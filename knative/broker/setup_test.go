package broker_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/broker"
	"github.com/honeydue/backend/shared/devserver/devtest"
)

const patience = 10 * time.Second

// bundle is a Broker on loopback, its log, what it observed and how long it wanted to wait.
type bundle struct {
	broker *broker.Broker
	url    string
	waits  chan time.Duration
	seen   chan broker.Attempt
	log    *syncBuffer
}

// setup starts a Broker whose waits end at once, each noted in waits. Edits change the options.
func setup(t *testing.T, triggers []broker.Trigger, edits ...func(*broker.Options)) *bundle {
	t.Helper()
	b := &bundle{waits: make(chan time.Duration, 1000), seen: make(chan broker.Attempt, 10_000), log: &syncBuffer{}}
	options := broker.Options{
		Namespace: "honeydue", Name: "default", Triggers: triggers,
		Log:     slog.New(slog.NewJSONHandler(b.log, nil)),
		Observe: func(a broker.Attempt) { b.seen <- a },
		After: func(d time.Duration) <-chan time.Time {
			b.waits <- d
			over := make(chan time.Time, 1)
			over <- time.Time{}
			return over
		},
	}
	for _, edit := range edits {
		edit(&options)
	}
	var err error
	b.broker, err = broker.New(options)
	require.NoError(t, err)
	server := httptest.NewServer(b.broker)
	b.url = server.URL + "/honeydue/default"
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, b.broker.Close(ctx))
		server.Close()
	})
	return b
}

// publish posts a binary event with the given headers over the ordinary ones.
func (b *bundle) publish(t *testing.T, headers ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, b.url, strings.NewReader(`{"task":7}`))
	require.NoError(t, err)
	for name, value := range map[string]string{
		"Ce-Specversion": "1.0", "Ce-Id": "event-1", "Ce-Type": "com.myhoneydue.task.completed.v1",
		"Ce-Source": "/functions/tasks", "Content-Type": "application/json",
	} {
		req.Header.Set(name, value)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
			continue
		}
		req.Header[headers[i]] = []string{headers[i+1]}
	}
	return do(t, req)
}

// end waits for the delivery of a Trigger to come to its end and returns the steps it took.
func (b *bundle) end(t *testing.T, trigger string) []broker.Attempt {
	t.Helper()
	var steps []broker.Attempt
	timeout := time.After(patience)
	for {
		select {
		case a := <-b.seen:
			if a.Trigger != trigger {
				continue
			}
			steps = append(steps, a)
			switch a.State {
			case broker.Delivered, broker.Dead, broker.Failed:
				return steps
			case broker.Pending, broker.Delivering, broker.Retrying:
			}
		case <-timeout:
			require.FailNow(t, "no end in sight", "%+v", steps)
		}
	}
}

func (b *bundle) waited() []time.Duration {
	var all []time.Duration
	for {
		select {
		case d := <-b.waits:
			all = append(all, d)
		default:
			return all
		}
	}
}

func do(t *testing.T, req *http.Request) *http.Response {
	t.Helper()
	resp, err := devtest.Client.Do(req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp
}

// received is a request as a consumer got it.
type received struct {
	method, path string
	header       http.Header
	body         string
}

// consumer answers the n-th request (from 0) as told and keeps what it got.
type consumer struct {
	*httptest.Server
	got chan received
}

func newConsumer(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) *consumer {
	t.Helper()
	c := &consumer{got: make(chan received, 1000)}
	var mu sync.Mutex
	var count int
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		n := count
		count++
		mu.Unlock()
		c.got <- received{r.Method, r.RequestURI, r.Header.Clone(), string(body)}
		answer(n, w, r)
	}))
	t.Cleanup(c.Close)
	return c
}

func always(status int) func(int, http.ResponseWriter, *http.Request) {
	return func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

func statuses(codes ...int) func(int, http.ResponseWriter, *http.Request) {
	return func(n int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(codes[min(n, len(codes)-1)]) }
}

func (c *consumer) next(t *testing.T) received {
	t.Helper()
	select {
	case r := <-c.got:
		return r
	case <-time.After(patience):
		require.FailNow(t, "the consumer got nothing")
	}
	return received{}
}

func to(c *consumer) broker.Destination { return broker.Destination{URI: c.URL} }

func trigger(c *consumer, d broker.Delivery) []broker.Trigger {
	return []broker.Trigger{{Name: "notifications", Subscriber: to(c), Delivery: &d}}
}

func states(steps []broker.Attempt) []broker.State {
	all := make([]broker.State, len(steps))
	for i, step := range steps {
		all[i] = step.State
	}
	return all
}

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
