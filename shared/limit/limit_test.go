package limit_test

import (
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/limit"
	"github.com/honeydue/backend/shared/pg"
)

func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }

func setup(t *testing.T) (*pg.DB, *devtest.Database) {
	t.Helper()
	own := devtest.New(t)
	var mode pg.ExecMode
	require.NoError(t, mode.Decode(own.ExecMode()))
	db, err := pg.Open(t.Context(), pg.Config{URL: own.URL("honeydue_auth"), ExecMode: mode, PoolSize: 4})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return db, own
}

func TestTakeAtTheSameMoment(t *testing.T) {
	t.Parallel()
	db, _ := setup(t)
	rule := limit.Rule{Name: "login", Max: 5, Window: 15 * time.Minute}
	var granted atomic.Int64
	var group sync.WaitGroup
	for range 40 {
		group.Go(func() {
			try, err := limit.Take(t.Context(), db, rule.By("ann"))
			if err == nil && try.Granted {
				granted.Add(1)
			}
		})
	}
	group.Wait()
	require.EqualValues(t, 5, granted.Load())

	refused, err := limit.Take(t.Context(), db, rule.By("ann"))
	require.NoError(t, err)
	require.False(t, refused.Granted)
	require.InDelta(t, rule.Window.Seconds(), refused.After.Seconds(), 20)
	other, err := limit.Take(t.Context(), db, rule.By("bob"))
	require.NoError(t, err)
	require.True(t, other.Granted)
}

func TestGiveBack(t *testing.T) {
	t.Parallel()
	db, _ := setup(t)
	rule := limit.Rule{Name: "login", Max: 2, Window: time.Minute}
	for range 10 {
		try, err := limit.Take(t.Context(), db, rule.By("ann"))
		require.NoError(t, err)
		require.True(t, try.Granted)
		require.NoError(t, limit.GiveBack(t.Context(), db, try))
	}
}

func TestWindowSlides(t *testing.T) {
	t.Parallel()
	db, own := setup(t)
	rule := limit.Rule{Name: "join", Max: 2, Window: time.Hour}
	for _, want := range []bool{true, true, false} {
		try, err := limit.Take(t.Context(), db, rule.By("ann"))
		require.NoError(t, err)
		require.Equal(t, want, try.Granted)
	}
	conn, err := pgx.Connect(t.Context(), own.OwnerURL())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(t.Context())) }()
	_, err = conn.Exec(t.Context(), `UPDATE shared_limit SET hits = ARRAY[hits[1] - interval '61 minutes', hits[2]]`)
	require.NoError(t, err)
	for _, want := range []bool{true, false} {
		try, err := limit.Take(t.Context(), db, rule.By("ann"))
		require.NoError(t, err)
		require.Equal(t, want, try.Granted)
	}
}

func TestARefusedTryIsCountedUnderNone(t *testing.T) {
	t.Parallel()
	db, _ := setup(t)
	account := limit.Rule{Name: "account", Max: 3, Window: time.Hour}
	address := limit.Rule{Name: "address", Max: 1, Window: time.Hour}
	for _, want := range []bool{true, false, false, false} {
		try, err := limit.Take(t.Context(), db, account.By("ann"), address.By("here"))
		require.NoError(t, err)
		require.Equal(t, want, try.Granted)
		require.Equal(t, want, try.After == 0)
	}
	for _, want := range []bool{true, true, false} {
		try, err := limit.Take(t.Context(), db, account.By("ann"))
		require.NoError(t, err)
		require.Equal(t, want, try.Granted, "one of three was used")
	}
}
