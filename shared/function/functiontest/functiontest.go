// Package functiontest runs one function's handler on real servers and calls it as an app would.
package functiontest

import (
	"bytes"
	"context"
	cryptorand "crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/cache"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/run"
)

// A Server is one function with a database and a Redis of its own. Its events go to a broker that is down, so
// they stay in the outbox for the test to look at.
type Server struct {
	URL   string
	Base  *function.Base
	Owner *pgxpool.Pool // the schema's owner, to arrange and to look
	DB    *devtest.Database
}

// Start runs the function name with the role that it has in production.
func Start(t testing.TB, name string, routes func(*function.Base) func(huma.API)) *Server {
	t.Helper()
	db := devtest.New(t)
	return StartOn(t, db, name, routes)
}

// StartOn is Start on a database that the test has already, so that two processes can share one.
func StartOn(t testing.TB, db *devtest.Database, name string, routes func(*function.Base) func(huma.API)) *Server {
	t.Helper()
	// A busy machine is no Redis that is away.
	return start(t, db, name, database(t, db.URL("honeydue_"+name), db.ExecMode(), 4), time.Second, routes)
}

// database is the configuration of a pool in the query mode of that name.
func database(t testing.TB, url, mode string, connections int32) pg.Config {
	t.Helper()
	cfg := pg.Config{URL: url, PoolSize: connections}
	require.NoError(t, cfg.ExecMode.Decode(mode))
	return cfg
}

func start(t testing.TB, db *devtest.Database, name string, cfg pg.Config, budget time.Duration, routes func(*function.Base) func(huma.API)) *Server {
	t.Helper()
	ctx := context.Background()
	base, err := function.Open(ctx, name, function.Config{
		Database: cfg,
		Cache:    cache.Config{URL: db.RedisURL(), Budget: budget},
		Sink:     "http://127.0.0.1:1/honeydue/default",
		Proxies:  []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	owner, err := pgxpool.New(ctx, db.OwnerURL())
	require.NoError(t, err)
	server := httptest.NewServer(run.Handler(base.Handler(routes(base))))
	t.Cleanup(func() {
		server.Close()
		owner.Close()
		require.NoError(t, base.Close(ctx))
	})
	return &Server{URL: server.URL, Base: base, Owner: owner, DB: db}
}

// A Person is an account that is signed in.
type Person struct {
	ID    int64
	Email string
	Token string
}

// Person makes an account with a verified address and signs it in.
func (s *Server) Person(t testing.TB, firstName string) Person {
	t.Helper()
	ctx := context.Background()
	p := Person{Token: "hd_" + rand(), Email: firstName + "." + rand() + "@example.com"}
	err := s.Owner.QueryRow(ctx, `
		INSERT INTO auth_user (email, first_name, last_name, email_verified_at) VALUES ($1, $2, 'Tester', now()) RETURNING id`,
		p.Email, firstName).Scan(&p.ID)
	require.NoError(t, err)
	s.Exec(t, `INSERT INTO auth_session (user_id, token_hash, expires_at) VALUES ($1, $2, now() + interval '90 days')`,
		p.ID, authn.Hash(p.Token))
	return p
}

// Home makes a residence of owner and returns its id.
func (s *Server) Home(t testing.TB, owner Person) int64 {
	t.Helper()
	var id int64
	err := s.Owner.QueryRow(context.Background(), `
		INSERT INTO residence_residence (name, created_by_id) VALUES ('Home', $1) RETURNING id`, owner.ID).Scan(&id)
	require.NoError(t, err)
	s.Join(t, id, owner, home.Owner)
	return id
}

// Join makes person a member of a residence.
func (s *Server) Join(t testing.TB, residence int64, person Person, role home.Role) {
	t.Helper()
	s.Exec(t, `INSERT INTO residence_member (residence_id, user_id, role) VALUES ($1, $2, $3)`, residence, person.ID, string(role))
}

// Exec runs sql as the owner.
func (s *Server) Exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	_, err := s.Owner.Exec(context.Background(), sql, args...)
	require.NoError(t, err)
}

// Begin begins a transaction as the owner. A test that fails with it open does not wait for it.
func (s *Server) Begin(t testing.TB) pgx.Tx {
	t.Helper()
	tx, err := s.Owner.Begin(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return tx
}

// Value reads one value as the owner.
func Value[T any](t testing.TB, s *Server, sql string, args ...any) T {
	t.Helper()
	var value T
	require.NoError(t, s.Owner.QueryRow(context.Background(), sql, args...).Scan(&value))
	return value
}

// Response is an answer, read whole.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Header is one header of a request.
type Header struct{ Name, Value string }

// Call sends body as JSON, unless it is a string, which is sent as it is; nil sends none. An empty token signs nobody in.
func (s *Server) Call(t testing.TB, method, path, token string, body any, headers ...Header) Response {
	t.Helper()
	r, err := s.Try(method, path, token, body, headers...)
	require.NoError(t, err)
	return r
}

// Try is Call for goroutines, which must not end a test.
func (s *Server) Try(method, path, token string, body any, headers ...Header) (Response, error) {
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = bytes.NewBufferString(b)
	default:
		encoded, err := json.Marshal(b)
		if err != nil {
			return Response{}, err
		}
		reader = bytes.NewReader(encoded)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, reader)
	if err != nil {
		return Response{}, err
	}
	if reader != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Token "+token)
	}
	for _, h := range headers {
		req.Header.Set(h.Name, h.Value)
	}
	res, err := devtest.Client.Do(req)
	if err != nil {
		return Response{}, err
	}
	defer func() { _ = res.Body.Close() }()
	read, err := io.ReadAll(res.Body)
	return Response{Status: res.StatusCode, Header: res.Header, Body: read}, err
}

// Read decodes the body of an answer that must have that status.
func Read[T any](t testing.TB, r Response, status int) T {
	t.Helper()
	require.Equal(t, status, r.Status, string(r.Body))
	var value T
	require.NoError(t, json.Unmarshal(r.Body, &value), string(r.Body))
	return value
}

// Refused checks that an answer is a problem document of that status.
func Refused(t testing.TB, r Response, status int) {
	t.Helper()
	require.Equal(t, status, r.Status, string(r.Body))
	require.Equal(t, "application/problem+json", r.Header.Get("Content-Type"))
	var p struct {
		Type, Title string
		Status      int
	}
	require.NoError(t, json.Unmarshal(r.Body, &p), string(r.Body))
	require.Equal(t, status, p.Status)
	require.NotEmpty(t, p.Title)
	require.Contains(t, p.Type, "https://")
}

// Events returns the types of the events in the outbox, oldest first.
func (s *Server) Events(t testing.TB) []string {
	t.Helper()
	rows, err := s.Owner.Query(context.Background(), `SELECT type || ' ' || data::text FROM outbox_event ORDER BY id`)
	require.NoError(t, err)
	defer rows.Close()
	var types []string
	for rows.Next() {
		var text string
		require.NoError(t, rows.Scan(&text))
		types = append(types, text)
	}
	require.NoError(t, rows.Err())
	return types
}

func rand() string { return strings.ToLower(cryptorand.Text()) }
