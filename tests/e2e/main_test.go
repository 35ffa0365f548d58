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

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/tests/cluster"
)

// under is the cluster of all tests.
var under *cluster.Cluster

// tidying is how long before the limit of `go test` the tests are given up, so that nothing stays behind.
const tidying = 5 * time.Minute

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
		return context.Cause(ctx)
	}
}

// within returns the cluster and a context that ends the test when it takes too long. When the test has failed, the state of
// the cluster is printed before the next one changes it.
func within(t *testing.T, limit time.Duration) (context.Context, *cluster.Cluster) {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			under.Report(context.WithoutCancel(t.Context()), t.Output())
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx, under
}

// database connects to PostgreSQL as its superuser, to look at what the API does not show.
func database(t *testing.T, c *cluster.Cluster) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), c.Postgres.URL(devserver.Owner, cluster.Database))
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
