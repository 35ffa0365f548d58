package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/cache"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/pg"
)

// A wire stands between the function and PostgreSQL and counts round trips: how often the function's side speaks after
// the database's side did.
type wire struct {
	listener net.Listener
	target   string
	trips    atomic.Int64
	copies   sync.WaitGroup
}

func newWire(t *testing.T, target string) *wire {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := &wire{listener: listener, target: target}
	w.copies.Go(w.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		w.copies.Wait()
	})
	return w
}

func (w *wire) accept() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		far, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", w.target)
		if err != nil {
			_ = near.Close()
			continue
		}
		var answered atomic.Bool
		answered.Store(true)
		pass := func(to, from net.Conn, seen func()) {
			defer func() { _ = to.Close() }()
			buffer := make([]byte, 64<<10)
			for {
				n, err := from.Read(buffer)
				if n > 0 {
					seen()
					if _, err := to.Write(buffer[:n]); err != nil {
						return
					}
				}
				if err != nil {
					_, _ = io.Copy(io.Discard, from)
					return
				}
			}
		}
		w.copies.Go(func() {
			pass(far, near, func() {
				if answered.CompareAndSwap(true, false) {
					w.trips.Add(1)
				}
			})
		})
		w.copies.Go(func() { pass(near, far, func() { answered.Store(true) }) })
	}
}

// idle drops what would be published after a commit, so that only what the caller waits for is counted.
type idle struct{}

func (idle) Go(func(context.Context)) {}

// counted is a function whose round trips are counted.
func counted(t *testing.T) (*bundle, *wire) {
	t.Helper()
	db := devtest.New(t)
	b := &bundle{Server: functiontest.StartOn(t, db, "auth", (&bundle{}).routes)}
	address, err := url.Parse(db.URL("honeydue_auth"))
	require.NoError(t, err)
	w := newWire(t, address.Host)
	address.Host = w.listener.Addr().String()
	var mode pg.ExecMode
	require.NoError(t, mode.Decode(db.ExecMode()))
	base, err := function.Open(t.Context(), "auth", function.Config{
		Database: pg.Config{URL: address.String(), ExecMode: mode, PoolSize: 1},
		Cache:    cache.Config{URL: db.RedisURL()},
		Sink:     "http://127.0.0.1:1/honeydue/default",
	}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	base.Outbox.Tasks = idle{}
	server := httptest.NewServer(base.Handler(b.routes(base)))
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, base.Close(context.WithoutCancel(t.Context())))
	})
	b.URL = server.URL
	return b, w
}

// How long a call takes must not tell whether an account is there: its round trips to the database do not. The fewest of some
// calls are compared, since the first prepares statements and a busy machine may cut a message in two.
func TestUnknownAccountTakesAsManyRoundTrips(t *testing.T) {
	t.Parallel()
	b, w := counted(t)
	b.register(t, "ann@example.com")
	fewest := func(email string, spend int, call func(email string)) int64 {
		least := int64(math.MaxInt64)
		for range 4 {
			b.Exec(t, `DELETE FROM shared_limit`)
			for range spend {
				call(email)
			}
			before := w.trips.Load()
			call(email)
			least = min(least, w.trips.Load()-before)
		}
		return least
	}
	login := func(email string) { b.login(t, email, "wrong password") }
	reset := func(email string) { functiontest.Refused(t, b.reset(t, email, "000000", newPassword), 400) }
	forgot := func(email string) { require.Equal(t, 202, b.forgot(t, email).Status) }
	for name, call := range map[string]func(email string){"login": login, "reset": reset, "forgot": forgot} {
		known := fewest("ann@example.com", 0, call)
		require.Equal(t, known, fewest("nobody@example.com", 0, call), name)
		require.LessOrEqual(t, known, int64(5), name)
	}
	require.Equal(t, fewest("nobody@example.com", 0, forgot), fewest("ann@example.com", forgotOfEmail.Max, forgot),
		"an account that had its share of codes")
}

// A read costs at most two round trips, a write at most four, the counting of tries aside.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	b, w := counted(t)
	var session signedIn
	var name string
	fresh := func() { session = b.register(t, "a"+name+"@example.com") }
	signIn := func() { b.login(t, session.User.Email, password) }
	for i, c := range []struct {
		name    string
		prepare func()
		call    func() functiontest.Response
		limits  int64 // round trips that count tries
		want    int64
	}{
		{"register", func() {}, func() functiontest.Response {
			return b.post(t, "register/", "", object{"email": name + "@example.com", "password": password})
		}, 1, 2},
		{"login", fresh, func() functiontest.Response { return b.login(t, session.User.Email, password) }, 4, 2},
		{"me", fresh, func() functiontest.Response { return b.get(t, "me/", session.Token) }, 0, 1},
		{"patch", fresh, func() functiontest.Response {
			return b.Call(t, "PATCH", "/api/auth/me/", session.Token, `{"time_zone":"Asia/Tokyo"}`)
		}, 0, 2},
		{"sessions", fresh, func() functiontest.Response { return b.get(t, "sessions/", session.Token) }, 0, 1},
		{"end others", func() { fresh(); signIn() }, func() functiontest.Response {
			return b.Call(t, "DELETE", "/api/auth/sessions/", session.Token, nil)
		}, 0, 2},
		{"verify", fresh, func() functiontest.Response {
			return b.verify(t, session.Token, b.digits(t, session.User.ID, forVerifyEmail))
		}, 0, 2},
		{"resend", fresh, func() functiontest.Response { return b.post(t, "resend-verification/", session.Token, nil) }, 1, 3},
		{"change email", fresh, func() functiontest.Response {
			return b.changeEmail(t, session.Token, "new"+session.User.Email, password)
		}, 5, 3},
		{"verify change", func() { fresh(); b.changeEmail(t, session.Token, "new"+session.User.Email, password) }, func() functiontest.Response {
			return b.verify(t, session.Token, b.digits(t, session.User.ID, forChangeEmail))
		}, 0, 3},
		{"change password", fresh, func() functiontest.Response {
			return b.post(t, "change-password/", session.Token, object{"current_password": password, "new_password": newPassword})
		}, 4, 3},
		{"forgot", fresh, func() functiontest.Response { return b.forgot(t, session.User.Email) }, 2, 3},
		{"reset", func() { fresh(); b.forgot(t, session.User.Email) }, func() functiontest.Response {
			return b.reset(t, session.User.Email, b.digits(t, session.User.ID, forResetPassword), newPassword)
		}, 2, 4},
		{"logout", fresh, func() functiontest.Response { return b.post(t, "logout/", session.Token, nil) }, 0, 1},
	} {
		// The first round prepares statements; on a busy machine the cache may miss its time, and the token is looked up.
		least := int64(math.MaxInt64)
		for round := 0; round < 20 && least > c.limits+c.want; round++ {
			b.Exec(t, `DELETE FROM shared_limit`)
			name = fmt.Sprintf("p%d.%d", i, round)
			c.prepare()
			if session.Token != "" {
				b.post(t, "verify-email/", session.Token, object{}) // looks the token up, no more
			}
			before := w.trips.Load()
			r := c.call()
			least = min(least, w.trips.Load()-before)
			require.Less(t, r.Status, 300, "%s: %s", c.name, r.Body)
		}
		require.Equal(t, c.limits+c.want, least, c.name)
	}
}
