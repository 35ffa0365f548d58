//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative"
	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/tests/cluster"
	"github.com/honeydue/backend/tests/story"
)

// TestCrowdAtZeroPods: 200 phones open the app at once while everything sleeps. Nobody is sent away, and the functions together
// never hold more connections to the database than their manifests promise.
func TestCrowdAtZeroPods(t *testing.T) {
	const phones, accounts = 200, 10
	ctx, c := within(t, 6*time.Minute)
	people := make([]*story.Person, accounts)
	for i := range people {
		var err error
		people[i], err = story.Register(ctx, c.Phone(), fmt.Sprintf("Kim%d", i))
		require.NoError(t, err)
		_, err = story.Share(ctx, people[i])
		require.NoError(t, err)
	}
	require.NoError(t, c.AwaitZero(ctx))

	watched := watchConnections(ctx, t, c)
	began := time.Now()
	refused := make([]error, phones)
	var crowd sync.WaitGroup
	for i := range phones {
		phone := c.Phone()
		phone.Token = people[i%accounts].Token
		crowd.Go(func() { refused[i] = openApp(ctx, phone) })
	}
	crowd.Wait()
	took := time.Since(began)
	most := watched()
	for _, err := range refused {
		require.NoError(t, err)
	}
	total, promised := most[""], 0
	for _, f := range c.Manifests.Functions {
		limit := f.MaxScale * poolSize(t, f)
		t.Logf("%-14s at most %3d connections of %3d", f.Name, most["honeydue_"+f.Name], limit)
		require.LessOrEqual(t, most["honeydue_"+f.Name], limit, f.Name)
		promised += limit
	}
	t.Logf("%d phones in %s: at most %d connections at once of %d", phones, took.Round(time.Millisecond), total, promised)
	require.Positive(t, total)
	require.LessOrEqual(t, total, promised)
}

// openApp makes the calls of an app that comes to the foreground, each once.
func openApp(ctx context.Context, phone *story.Phone) error {
	for _, path := range []string{"/api/auth/me/", "/api/residences/my/", "/api/tasks/", "/api/lookups/", "/api/health/"} {
		answer, err := phone.Call(ctx, http.MethodGet, path, nil, "")
		if err != nil {
			return err
		}
		if err := answer.Decode(http.StatusOK, nil); err != nil {
			return fmt.Errorf("GET %s: %w", path, err)
		}
	}
	return nil
}

// poolSize is how many connections one pod may have.
func poolSize(t *testing.T, f knative.Function) int {
	t.Helper()
	for _, e := range f.Env {
		if e.Name == "DATABASE_POOL_SIZE" {
			n, err := strconv.Atoi(e.Value)
			require.NoError(t, err)
			return n
		}
	}
	t.Fatalf("%s has no DATABASE_POOL_SIZE", f.Name)
	return 0
}

// watchConnections samples who is connected to PgBouncer until the returned function is called, which returns the most at once
// by role, and of all functions together under the empty name.
func watchConnections(ctx context.Context, t *testing.T, c *cluster.Cluster) (stop func() map[string]int) {
	t.Helper()
	const every = 20 * time.Millisecond
	console, err := pgx.Connect(ctx, c.PgBouncer.URL(devserver.Owner, "pgbouncer"))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(ctx)
	most := map[string]int{}
	ended := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			now, err := connections(ctx, console)
			if err != nil && ctx.Err() == nil {
				ended <- err
				return
			}
			for role, n := range now {
				most[role] = max(most[role], n)
			}
			select {
			case <-ctx.Done():
			case <-time.After(every):
			}
		}
		ended <- nil
	}()
	return func() map[string]int {
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, console.Close(context.WithoutCancel(ctx)))
		return most
	}
}

// connections counts the functions' connections by role, and all of them under the empty name.
func connections(ctx context.Context, console *pgx.Conn) (map[string]int, error) {
	results, err := console.PgConn().Exec(ctx, "SHOW CLIENTS").ReadAll()
	if err != nil {
		return nil, fmt.Errorf("ask pgbouncer for its clients: %w", err)
	}
	now := map[string]int{}
	for _, result := range results {
		user := -1
		for i, f := range result.FieldDescriptions {
			if f.Name == "user" {
				user = i
			}
		}
		for _, row := range result.Rows {
			if role := string(row[user]); strings.HasPrefix(role, "honeydue_") {
				now[role]++
				now[""]++
			}
		}
	}
	return now, nil
}
