package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/cache"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/pg"
)

// A line stands between a function and its database, and counts how often the function waits for an answer.
type line struct {
	trips   atomic.Int64
	waiting atomic.Bool
}

// listen carries connections to address until the test ends, and returns where.
func (l *line) listen(t *testing.T, address string) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var carrying sync.WaitGroup
	carrying.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", address)
			if err != nil {
				_ = near.Close()
				continue
			}
			carrying.Go(func() { carry(far, near, l.asked) })
			carrying.Go(func() { carry(near, far, l.answered) })
		}
	})
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		carrying.Wait()
	})
	return listener.Addr().String()
}

func (l *line) asked() {
	if !l.waiting.Swap(true) {
		l.trips.Add(1)
	}
}

func (l *line) answered() { l.waiting.Store(false) }

// carry copies from one connection to the other, noting what passes before it passes.
func carry(to, from net.Conn, note func()) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			note()
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// startCounted runs the function behind a line, with a broker that keeps its callers waiting until the test ends.
func startCounted(t *testing.T) (bundle, *line) {
	t.Helper()
	ctx, db, l := context.Background(), devtest.New(t), &line{}
	address, err := url.Parse(db.URL("honeydue_" + name))
	require.NoError(t, err)
	address.Host = l.listen(t, address.Host)
	release := make(chan struct{})
	broker := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-release
	}))
	base, err := function.Open(ctx, name, function.Config{
		Database: pg.Config{URL: address.String(), ExecMode: pg.ExecMode(pgx.QueryExecModeExec), PoolSize: 1},
		Cache:    cache.Config{URL: db.RedisURL(), Budget: 4 * time.Second},
		Sink:     broker.URL,
	}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	owner, err := pgxpool.New(ctx, db.OwnerURL())
	require.NoError(t, err)
	server := httptest.NewServer(base.Handler(handlers(base)))
	t.Cleanup(func() {
		close(release)
		server.Close()
		require.NoError(t, base.Close(ctx))
		broker.Close()
		owner.Close()
	})
	b := bundle{Server: &functiontest.Server{URL: server.URL, Base: base, Owner: owner, DB: db}}
	b.people(t)
	return b, l
}

func TestRoundTrips(t *testing.T) {
	t.Parallel()
	b, l := startCounted(t)
	b.Base.Cache.Born(t.Context(), b.ann.ID)
	b.post(t, nil)
	id := b.post(t, object{"due_date": "2026-11-21", "frequency_id": 2}).ID
	entry := b.complete(t, id, nil).Completion.ID
	key := functiontest.Header{Name: "Idempotency-Key", Value: "8e0a"}
	for _, c := range []struct {
		what, method, path string
		body               any
		want               int64
	}{
		{"board", "GET", "/api/tasks/", nil, 1},
		{"board from cache", "GET", "/api/tasks/", nil, 0},
		{"board of a home", "GET", "/api/tasks/" + residenceBoard(b.home), nil, 1},
		{"board of a home from cache", "GET", "/api/tasks/" + residenceBoard(b.home), nil, 0},
		{"task", "GET", path(id), nil, 1},
		{"list", "GET", "/api/task-completions/", nil, 1},
		{"lookups", "GET", "/api/lookups/", nil, 1},
		{"create", "POST", "/api/tasks/", object{"residence_id": b.home, "title": "x", "assigned_to_id": b.bob.ID}, 4},
		{"create again", "POST", "/api/tasks/", object{"residence_id": b.home, "title": "x", "assigned_to_id": b.bob.ID}, 3},
		{"patch", "PATCH", path(id), object{"assigned_to_id": b.bob.ID}, 4},
		{"mark", "POST", path(id, "mark-in-progress"), nil, 4},
		{"complete", "POST", "/api/task-completions/", object{"task_id": id}, 4},
		{"correct", "PATCH", completionPath(entry), object{"notes": "x"}, 4},
		{"take back", "DELETE", completionPath(entry + 1), nil, 3},
		{"delete", "DELETE", path(id), nil, 3},
	} {
		before := l.trips.Load()
		var headers []functiontest.Header
		if c.path == "/api/tasks/" && c.method == "POST" {
			headers = append(headers, key)
		}
		r := b.Call(t, c.method, c.path, b.ann.Token, c.body, headers...)
		require.Less(t, r.Status, 300, "%s: %s", c.what, r.Body)
		took := l.trips.Load() - before
		t.Logf("%-30s %d", c.what, took)
		require.Equal(t, c.want, took, c.what)
	}
}
