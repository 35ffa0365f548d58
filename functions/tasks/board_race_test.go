package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/board"
	"github.com/honeydue/backend/shared/cache"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/pg"
)

// A gate stands between a function and PostgreSQL. While it is shut, what PostgreSQL answers waits there.
type gate struct {
	listener net.Listener
	open     sync.RWMutex  // held to write by whoever shuts it
	waiting  chan struct{} // gets a value for each answer that arrives
}

// newGate returns an open gate to target, a host and port.
func newGate(t testing.TB, target string) *gate {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g := &gate{listener: listener, waiting: make(chan struct{}, 1)}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { g.pass(client, target) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		all.Wait()
	})
	return g
}

// pass connects client with target until either ends.
func (g *gate) pass(client net.Conn, target string) {
	defer func() { _ = client.Close() }()
	server, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "tcp", target)
	if err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	answer := make([]byte, 64<<10)
	for {
		n, err := server.Read(answer)
		if err != nil {
			return
		}
		select {
		case g.waiting <- struct{}{}:
		default:
		}
		g.open.RLock()
		_, err = client.Write(answer[:n])
		g.open.RUnlock()
		if err != nil {
			return
		}
	}
}

// behind starts the function once more on a database, with a gate before PostgreSQL.
func behind(t testing.TB, db *devtest.Database) (*functiontest.Server, *gate) {
	t.Helper()
	address, err := url.Parse(db.URL("honeydue_" + name))
	require.NoError(t, err)
	g := newGate(t, address.Host)
	address.Host = g.listener.Addr().String()
	cfg := pg.Config{URL: address.String(), PoolSize: 1}
	require.NoError(t, cfg.ExecMode.Decode(db.ExecMode()))
	base, err := function.Open(t.Context(), name, function.Config{
		Database: cfg, Cache: cache.Config{URL: db.RedisURL(), Budget: time.Second}, Sink: "http://127.0.0.1:1/",
	}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	server := httptest.NewServer(base.Handler(handlers(base)))
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, base.Close(context.WithoutCancel(t.Context())))
	})
	return &functiontest.Server{URL: server.URL, Base: base, DB: db}, g
}

// shut holds back what PostgreSQL answers from now on, until the function that it returns is called.
func (g *gate) shut(t testing.TB) (open func()) {
	t.Helper()
	g.open.Lock()
	open = sync.OnceFunc(g.open.Unlock)
	t.Cleanup(open)
	select {
	case <-g.waiting: // an answer from before
	default:
	}
	return open
}

// TestASlowReaderRacesAWriter has a reader, far from its database, ask for a board; another process writes once PostgreSQL has
// answered; then the answer reaches the reader, who keeps it. Nobody may get that board.
func TestASlowReaderRacesAWriter(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.born(t)
	far, gate := behind(t, b.DB)
	reader := bundle{Server: far}
	b.post(t, object{"title": "before"})
	for _, p := range []functiontest.Person{b.ann, b.bob} {
		b.keep(t, p, date.In(noon, time.UTC))
	}
	upcoming := func(process bundle, p functiontest.Person, more string) []string {
		return process.board(t, p, more).titles()[board.Upcoming]
	}
	for round, title := range []string{"first", "second", "third"} {
		// Boards of thresholds that nobody asked for come from the database. The first of them makes the connection.
		known := upcoming(reader, b.ann, fmt.Sprintf("?days_threshold=%d", 100+round))
		query := fmt.Sprintf("?days_threshold=%d", 200+round)
		open := gate.shut(t)
		var slow functiontest.Response
		var err error
		var reading sync.WaitGroup
		reading.Go(func() { slow, err = reader.Try(http.MethodGet, "/api/tasks/"+query, b.ann.Token, nil) })
		<-gate.waiting
		b.post(t, object{"title": title})
		open()
		reading.Wait()
		require.NoError(t, err)
		require.Equal(t, known, functiontest.Read[kanban](t, slow, http.StatusOK).titles()[board.Upcoming], "the reader read before the write")

		want := append(slices.Clone(known), title)
		for _, process := range []bundle{b, reader} {
			for _, more := range []string{query, "", residenceBoard(b.home)} {
				for range 2 {
					require.Equal(t, want, upcoming(process, b.ann, more), "%s %s", title, more)
					require.Equal(t, want, upcoming(process, b.bob, more), "%s %s", title, more)
				}
			}
		}
	}
}
