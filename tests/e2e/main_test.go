//go:build e2e

// Package e2e runs the whole system on a real cluster: from zero pods to zero pods, under load, killed and cut off.
// Its tests share one cluster and run one after the other, in the order of their files.
package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/tests/cluster"
)

var (
	under    *cluster.Cluster // of all tests
	whole    context.Context  // of all tests: it ends when the run is to end
	reported string           // the last test whose failure has been reported
)

const (
	tidying = 8 * time.Minute  // before the limit of `go test` the tests are given up, so that nothing stays behind
	ending  = 30 * time.Second // for tests that are given up
	undoing = 4 * time.Minute  // for one change of a test to the cluster
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := run(m); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
}

func run(m *testing.M) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if limit, ok := flag.Lookup("test.timeout").Value.(flag.Getter).Get().(time.Duration); ok && limit > tidying {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit-tidying, errors.New("the tests take too long"))
		defer cancel()
	}
	environment, err := cluster.FromEnv()
	if err != nil {
		return err
	}
	if under, err = cluster.Up(ctx, environment, os.Stderr); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, under.Down(context.WithoutCancel(ctx))) }()
	if err := trustAddresses(ctx, under); err != nil {
		return err
	}
	whole = ctx //nolint:fatcontext // kept for the tests, which TestMain cannot give arguments
	ended := make(chan int, 1)
	go func() { ended <- m.Run() }()
	select {
	case code := <-ended:
		if code != 0 {
			return errors.New("tests failed")
		}
		return nil
	case <-ctx.Done():
		under.Report(context.WithoutCancel(ctx), os.Stderr)
		// The tests have seen it too: what they run is being interrupted.
		select {
		case <-ended:
			return context.Cause(ctx)
		case <-time.After(ending):
			return errors.Join(context.Cause(ctx), errors.New("a test did not end in time"))
		}
	}
}

// within returns the cluster and a context that ends the test when it takes too long, or with the run. When the test has
// failed, the state of the cluster is printed before anything changes it.
func within(t *testing.T, limit time.Duration) (context.Context, *cluster.Cluster) {
	t.Helper()
	require.NoError(t, whole.Err(), "the run ends")
	t.Cleanup(func() { report(t) })
	ctx, cancel := context.WithTimeout(whole, limit)
	t.Cleanup(cancel)
	return ctx, under
}

// undo takes back a change to the cluster when the test has ended, however that is, but not when the run ends, which takes
// everything down. The state that a failed test has left is printed before.
func undo(t *testing.T, change func(ctx context.Context)) {
	t.Helper()
	t.Cleanup(func() {
		report(t)
		ctx, cancel := context.WithTimeout(whole, undoing)
		defer cancel()
		if ctx.Err() == nil {
			change(ctx)
		}
	})
}

// report prints the state of the cluster once for a test that has failed. When the run ends, that is done for all.
func report(t *testing.T) {
	t.Helper()
	if t.Failed() && reported != t.Name() && whole.Err() == nil {
		reported = t.Name()
		under.Report(whole, t.Output())
	}
}

// database connects to PostgreSQL as its superuser, to look at what the API does not show.
func database(t *testing.T, c *cluster.Cluster) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), c.Postgres.URL(devserver.Owner, cluster.Database))
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// trustAddresses makes the addresses of new accounts count as proved, so that no story waits for a mail: news goes to no other
// address.
func trustAddresses(ctx context.Context, c *cluster.Cluster) error {
	db, err := pgx.Connect(ctx, c.Postgres.URL(devserver.Owner, cluster.Database))
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }()
	if _, err := db.Exec(ctx, `ALTER TABLE auth_user ALTER COLUMN email_verified_at SET DEFAULT now()`); err != nil {
		return fmt.Errorf("trust addresses: %w", err)
	}
	return nil
}

// value reads one value from the database.
func value[T any](t *testing.T, db *pgxpool.Pool, sql string, args ...any) T {
	t.Helper()
	var v T
	require.NoError(t, db.QueryRow(t.Context(), sql, args...).Scan(&v))
	return v
}

// pause lets a moment pass before something is looked at again, unless ctx has ended.
func pause(ctx context.Context, t *testing.T, waiting string) {
	t.Helper()
	elapse(ctx, t, 200*time.Millisecond, waiting)
}

// elapse lets time pass that is itself what the test is about, such as that of a steady load.
func elapse(ctx context.Context, t *testing.T, d time.Duration, waiting string) {
	t.Helper()
	select {
	case <-ctx.Done():
		require.NoError(t, ctx.Err(), waiting)
	case <-time.After(d):
	}
}
