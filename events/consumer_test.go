package events

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// sendTick sends c what the PingSource of that name sends.
func sendTick(c *Consumer, name string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("Ce-Id", "f8f0c2d1-0000-4000-8000-000000000000")
	r.Header.Set("Ce-Type", PingType)
	r.Header.Set("Ce-Source", "/apis/v1/namespaces/honeydue/pingsources/"+name)
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	return w
}

// away is a database that nobody reaches.
type away struct{ Transactor }

func (away) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, errors.New("nobody is there")
}

func TestTicks(t *testing.T) {
	t.Parallel()
	swept := 0
	var log bytes.Buffer
	c := &Consumer{DB: away{}, Log: slog.New(slog.NewJSONHandler(&log, nil)), Timeout: 5 * time.Second, Schedules: map[string]func(context.Context) error{
		"outbox": func(ctx context.Context) error {
			deadline, ok := ctx.Deadline()
			if !ok || time.Until(deadline) > 5*time.Second {
				return errors.New("no deadline")
			}
			swept++
			return nil
		},
		"broken": func(context.Context) error { return errors.New("not now") },
	}}
	w := sendTick(c, "outbox")
	require.Equal(t, http.StatusNoContent, w.Code)
	require.Empty(t, w.Body.String())
	require.Equal(t, 1, swept)
	require.Equal(t, http.StatusNoContent, sendTick(c, "unknown").Code)
	require.Equal(t, http.StatusNoContent, sendTick(c, "outbox/more").Code)
	require.Equal(t, 1, swept)
	w = sendTick(c, "broken")
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Equal(t, "5", w.Header().Get("Retry-After"))
	require.Empty(t, w.Body.String())
	require.Contains(t, log.String(), `schedule broken: not now\nnote that it failed: nobody is there`)
}

func TestATickIsToBeNotedOnce(t *testing.T) {
	t.Parallel()
	var names []*string
	c := &Consumer{Log: slog.New(slog.DiscardHandler), Schedules: map[string]func(context.Context) error{
		"outbox": func(ctx context.Context) error {
			within, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			names = append(names, TickToNote(within), TickToNote(within), TickToNote(ctx))
			return nil
		},
	}}
	sendTick(c, "outbox")
	sendTick(c, "outbox")
	outbox := "outbox"
	require.Equal(t, []*string{&outbox, nil, nil, &outbox, nil, nil}, names)
	require.Nil(t, TickToNote(t.Context()))
}

// A broker that hangs up, as one does whose own deadline is over, leaves the work to end.
func TestATickOutlivesItsRequest(t *testing.T) {
	t.Parallel()
	c := &Consumer{Log: slog.New(slog.DiscardHandler), Schedules: map[string]func(context.Context) error{
		"outbox": func(ctx context.Context) error { return ctx.Err() },
	}}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(gone, http.MethodPost, "/", nil)
	r.Header.Set("Ce-Type", PingType)
	r.Header.Set("Ce-Source", "/apis/v1/namespaces/honeydue/pingsources/outbox")
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	require.Equal(t, http.StatusNoContent, w.Code)
}

func TestMarkedErrorsSayWhatTheySaid(t *testing.T) {
	t.Parallel()
	cause := errors.New("no such row")
	for _, mark := range []func(error) error{Permanent, Later} {
		require.ErrorIs(t, mark(cause), cause)
		require.EqualError(t, mark(cause), "no such row")
	}
}

func TestWhatAnybodyMaySendIsNeitherBelievedNorLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	c := &Consumer{Log: slog.New(slog.NewJSONHandler(&log, nil))}
	for _, id := range []string{"", "hunter2", "f8f0c2d1-0000-4000-8000-000000000000", "urn:uuid:f8f0c2d1-0000-4000-8000-000000000000"} {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewBufferString(`{"user_id": "hunter2"}`))
		r.Header.Set("Ce-Id", id)
		r.Header.Set("Ce-Type", "hunter2")
		r.Header.Set("Ce-Source", "hunter2")
		w := httptest.NewRecorder()
		c.ServeHTTP(w, r) // it consumes nothing, so that it asks no database
		require.Equal(t, http.StatusNoContent, w.Code)
	}
	require.NotContains(t, log.String(), "hunter2")
}
