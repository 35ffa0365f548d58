// Package devtest gives each test a migrated database and a Redis database of its own, and a bucket, on servers that a
// test binary starts once, when the first test asks.
//
//	func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }
//
//	func setup(t *testing.T) *bundle {
//		db, bucket := devtest.New(t), devtest.NewBucket(t)
//		…
//	}
//
// Functions reach their database directly, or through PgBouncer when HONEYDUE_TEST_VIA=pgbouncer.
package devtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
)

// A suite is what one test binary has once.
type suite struct {
	running bool // Main is
	migrate func(ctx context.Context, ownerURL string) error

	start   sync.Once
	servers *Servers
	err     error

	s3      s3
	program program
}

// binary is the suite of this test binary: package state, since testing carries nothing from TestMain to a test.
var binary = &suite{}

// An Option changes what Main sets up.
type Option func(*suite)

// WithMigration lets f make the schema, for a package that wants another than the program functions/migrate
// makes. f gets the address of an empty database and must leave no connection to it behind.
func WithMigration(f func(ctx context.Context, ownerURL string) error) Option {
	return func(b *suite) { b.migrate = f }
}

// Main runs a package's tests and returns the exit code. The first test that calls New starts the servers; Main
// stops them. A test binary that panics takes its servers with it, and the next one clears its folder away.
func Main(m *testing.M, opts ...Option) (code int) {
	binary.running, binary.migrate = true, binary.program.run
	for _, opt := range opts {
		opt(binary)
	}
	defer func() {
		if err := binary.stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop servers of tests:", err)
			code = 1
		}
	}()
	return m.Run()
}

// stop ends and removes what the tests have started.
func (b *suite) stop() error {
	err := errors.Join(b.program.remove(), b.s3.stop(context.Background()))
	if b.servers != nil {
		err = errors.Join(err, b.servers.stop(context.Background()))
	}
	return err
}

// New returns a database of the test's own, copied from the migrated template, and a flushed Redis database.
// Both are given back when the test ends. It needs Main.
func New(t testing.TB) *Database {
	t.Helper()
	requireMain(t)
	binary.start.Do(func() {
		binary.servers, binary.err = startServers(context.Background(), binary.migrate)
	})
	if binary.err != nil {
		t.Fatalf("start servers of tests: %v", binary.err)
	}
	return binary.servers.New(t)
}

// NewServers starts servers for one test alone, which may stop, kill and pause them. They end with the test.
// It needs Main.
func NewServers(t testing.TB) *Servers {
	t.Helper()
	requireMain(t)
	s, err := startServers(t.Context(), binary.migrate)
	if err != nil {
		t.Fatalf("start servers of test: %v", err)
	}
	t.Cleanup(func() {
		if err := s.stop(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("stop servers of test: %v", err)
		}
	})
	return s
}

func requireMain(t testing.TB) {
	t.Helper()
	if !binary.running {
		t.Fatal("TestMain must call devtest.Main, which stops the servers at the end")
	}
}

// TempDir is like t.TempDir, but servers that root starts can use it.
func TempDir(t testing.TB) string {
	t.Helper()
	folder, err := makeFolder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := folder.remove(); err != nil {
			t.Error(err)
		}
	})
	return folder.path
}
