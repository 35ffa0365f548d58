package functiontest

import (
	"context"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/devserver/wire"
	"github.com/honeydue/backend/shared/function"
)

// dropped drops what would be published after a commit, so that only what a caller waits for is counted.
type dropped struct{}

// Go runs nothing.
func (dropped) Go(func(context.Context)) {}

// StartCounted is Start with one connection to the database in the query mode of production, which counts round trips, and a cache that is waited for
// longer, so that a busy machine does not look like a missing one. Events are written and not published.
func StartCounted(t testing.TB, name string, routes func(*function.Base) func(huma.API)) (*Server, *wire.Counter) {
	t.Helper()
	db := devtest.New(t)
	counter, err := wire.Listen(context.Background())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, counter.Close()) })
	counter.To(DatabaseAt(t, db))
	return StartThrough(t, db, counter.Addr(), name, routes), counter
}
