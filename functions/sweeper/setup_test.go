package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/pg"
)

// asSweeper makes the test binary the sweeper itself, as a process that a test may kill.
const asSweeper = "HONEYDUE_TEST_AS_SWEEPER"

func TestMain(m *testing.M) {
	if os.Getenv(asSweeper) != "" {
		main()
		return
	}
	os.Exit(devtest.Main(m))
}

// A bundle is the sweeper beside a function that tells events, each with the role that it has in production.
type bundle struct {
	*functiontest.Server // the function tasks
	service              *service
	url                  string
	broker               *broker
	brokerURL            string
}

func setup(t *testing.T) *bundle {
	t.Helper()
	return setupOn(t, devtest.New(t))
}

func setupOn(t *testing.T, db *devtest.Database) *bundle {
	t.Helper()
	b := &bundle{broker: &broker{}}
	b.Server = functiontest.StartOn(t, db, "tasks", func(*function.Base) func(huma.API) { return func(huma.API) {} })
	sink := httptest.NewServer(b.broker)
	t.Cleanup(sink.Close)
	b.brokerURL = sink.URL + "/honeydue/default"
	b.service = newService(b.open(t, "honeydue_sweeper"), nil, b.brokerURL, slog.New(slog.DiscardHandler))
	server := httptest.NewServer(b.service.handler())
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

func (b *bundle) open(t *testing.T, role string) *pg.DB {
	t.Helper()
	var mode pg.ExecMode
	require.NoError(t, mode.Decode(b.DB.ExecMode()))
	db, err := pg.Open(t.Context(), pg.Config{URL: b.DB.URL(role), ExecMode: mode, PoolSize: 4})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return db
}

// A broker answers 202 to every event and keeps it, unless it is told otherwise.
type broker struct {
	mu     sync.Mutex
	got    []sent
	answer func(id string) int
}

type sent struct {
	header http.Header
	path   string
	body   string
}

func (b *broker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	b.mu.Lock()
	answer := b.answer
	b.mu.Unlock()
	status := http.StatusAccepted
	if answer != nil {
		status = answer(r.Header.Get("Ce-Id"))
	}
	if status == http.StatusAccepted {
		b.mu.Lock()
		b.got = append(b.got, sent{r.Header, r.URL.Path, string(body)})
		b.mu.Unlock()
	}
	w.WriteHeader(status)
}

func (b *broker) set(answer func(id string) int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = answer
}

// ids returns the events that it took, in their order.
func (b *broker) ids() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	ids := make([]string, len(b.got))
	for i, s := range b.got {
		ids[i] = s.header.Get("Ce-Id")
	}
	return ids
}

func (b *broker) last() sent {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.got[len(b.got)-1]
}

// event writes one as a function that was killed right after its commit leaves it, and returns its id.
// Its lease ends after wait.
func (b *bundle) event(t *testing.T, wait time.Duration) string {
	t.Helper()
	id := uuid.Must(uuid.NewV7()).String()
	b.Exec(t, `
		INSERT INTO outbox_event (id, type, source, subject, time, data, traceparent)
		VALUES ($1, 'com.myhoneydue.task.assigned.v1', '/functions/tasks', 'tasks/7', '2026-04-02 12:00:00.5+00',
			'{"task_id": 7, "actor_id": 1, "assignee_id": 2, "residence_id": 3}', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')`, id)
	b.Exec(t, `INSERT INTO outbox_delivery (event_id, consumer, next_at) VALUES ($1, 'notifications', now() + make_interval(secs => $2))`, id, wait.Seconds())
	return id
}

// due makes every delivery that waits due now.
func (b *bundle) due(t *testing.T) {
	t.Helper()
	b.Exec(t, `UPDATE outbox_delivery SET next_at = now() - interval '1 second' WHERE state = 'pending'`)
}

// wait returns in how many seconds an event is due.
func (b *bundle) wait(t *testing.T, id string) float64 {
	t.Helper()
	return functiontest.Value[float64](t, b.Server, `SELECT extract(epoch FROM next_at - now())::float8 FROM outbox_delivery WHERE event_id = $1`, id)
}

// tick posts what the schedule outbox sends, which must be answered by 204.
func (b *bundle) tick(t *testing.T) {
	t.Helper()
	require.Equal(t, http.StatusNoContent, post(t, b.url, ping("outbox")))
}

// ping is what a schedule sends.
func ping(schedule string) map[string]string {
	return map[string]string{
		"Ce-Id": uuid.NewString(), "Ce-Type": events.PingType, "Ce-Source": "/apis/v1/namespaces/honeydue/pingsources/" + schedule,
	}
}

func post(t *testing.T, url string, headers map[string]string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("{}"))
	require.NoError(t, err)
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	res, err := devtest.Client.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}
