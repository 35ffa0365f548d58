package devtest

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	os.Exit(Main(m, WithMigration(migrateStandIn)))
}

// migrateStandIn makes a schema with one table and one role.
func migrateStandIn(ctx context.Context, ownerURL string) error {
	conn, err := pgx.Connect(ctx, ownerURL)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, `
		CREATE ROLE honeydue_tasks LOGIN;
		CREATE TABLE task_task (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text NOT NULL);
		GRANT SELECT, INSERT ON task_task TO honeydue_tasks;`)
	return err
}

func TestNewGivesEachTestItsOwn(t *testing.T) {
	t.Parallel()
	for range 8 {
		t.Run("alone", func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			db := New(t)

			conn, err := pgx.Connect(ctx, db.URL("honeydue_tasks")+"&default_query_exec_mode="+db.ExecMode())
			require.NoError(t, err)
			defer func() { require.NoError(t, conn.Close(ctx)) }()
			var id int64
			require.NoError(t, conn.QueryRow(ctx, "INSERT INTO task_task (title) VALUES ($1) RETURNING id", "gutters").Scan(&id))
			require.EqualValues(t, 1, id)
			var user string
			require.NoError(t, conn.QueryRow(ctx, "SELECT current_user").Scan(&user))
			require.Equal(t, "honeydue_tasks", user)

			o, err := redis.ParseURL(db.RedisURL())
			require.NoError(t, err)
			client := redis.NewClient(o)
			defer func() { require.NoError(t, client.Close()) }()
			size, err := client.DBSize(ctx).Result()
			require.NoError(t, err)
			require.Zero(t, size)
			require.NoError(t, client.Set(ctx, "board", "cached", 0).Err())
		})
	}
}

func TestNewServersAreTheTestsAlone(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	others := New(t)
	servers := NewServers(t)
	db := servers.New(t)
	require.NoError(t, servers.Redis.Stop(ctx))
	require.NoError(t, servers.Postgres.Kill())
	require.NoError(t, connect(ctx, others.URL("honeydue_tasks")))
	require.Error(t, connect(ctx, db.DirectURL("honeydue_tasks")))
	require.NoError(t, servers.Postgres.Start(ctx))
	require.NoError(t, connect(ctx, db.URL("honeydue_tasks")))
	servers.Postgres.Pause()
}

func TestSweep(t *testing.T) {
	t.Parallel()
	used, err := makeFolder()
	require.NoError(t, err)
	left, err := makeFolder()
	require.NoError(t, err)
	require.NoError(t, left.lock.Close())
	old := time.Now().Add(-time.Hour)
	for _, f := range []*folder{used, left} {
		require.NoError(t, os.Chtimes(f.path, old, old))
	}
	sweep()
	require.DirExists(t, used.path)
	require.NoDirExists(t, left.path)
	require.NoError(t, used.remove())
	require.NoDirExists(t, used.path)
}

func connect(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}
