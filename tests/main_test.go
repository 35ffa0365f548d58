package tests

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/local"
	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/shared/devserver/devtest"
)

// programs is where all systems of this test binary build their functions.
var programs string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "honeydue-programs-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	programs = dir
	code := m.Run()
	if err := errors.Join(shared.stop(), putting.stop()); err != nil {
		fmt.Fprintln(os.Stderr, "stop the shared systems:", err)
		return 1
	}
	return code
}

// shared is the system of all tests that break nothing; putting is one whose files are sent in the other form.
var (
	shared  = &sharedSystem{method: "post"}
	putting = &sharedSystem{method: "put"}
)

type sharedSystem struct {
	method string
	once   sync.Once
	system *local.System
	dir    string
	err    error
}

func (s *sharedSystem) start() {
	if s.dir, s.err = os.MkdirTemp("", "honeydue-shared-"); s.err != nil {
		return
	}
	if s.err = os.Chmod(s.dir, 0o755); s.err != nil {
		return
	}
	s.system, s.err = local.Start(context.Background(), local.Config{
		Dir: filepath.Join(s.dir, "run"), Bin: programs, Values: map[string]string{"honeydue/UPLOADS_METHOD": s.method},
	})
}

func (s *sharedSystem) stop() error {
	if s.system == nil {
		return nil
	}
	return errors.Join(s.system.Stop(), os.RemoveAll(s.dir))
}

// system returns the shared system.
func system(t *testing.T) *local.System {
	t.Helper()
	return shared.running(t)
}

func (s *sharedSystem) running(t *testing.T) *local.System {
	t.Helper()
	s.once.Do(s.start)
	require.NoError(t, s.err)
	return s.system
}

// ownSystem starts a system for a test that breaks parts of it.
func ownSystem(t *testing.T) *local.System {
	t.Helper()
	s, err := local.Start(t.Context(), local.Config{Dir: filepath.Join(devtest.TempDir(t), "run"), Bin: programs})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop()) })
	return s
}

// owner connects to a system's database directly, to look at what the API does not show.
func owner(t *testing.T, s *local.System) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), s.Postgres.URL(devserver.Owner, "honeydue"))
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// value reads one value from the database.
func value[T any](t *testing.T, db *pgxpool.Pool, sql string, args ...any) T {
	t.Helper()
	var v T
	require.NoError(t, db.QueryRow(t.Context(), sql, args...).Scan(&v))
	return v
}

// within returns a context that ends the story when it takes too long.
func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}
