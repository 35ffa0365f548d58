package devserver

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

func TestPostgresSettings(t *testing.T) {
	t.Parallel()
	p := startPostgres(t, Options{Dir: folder(t), Settings: map[string]string{"max_connections": "33"}})
	for setting, want := range map[string]string{
		"TimeZone": "UTC", "server_encoding": "UTF8", "lc_collate": "C", "fsync": "off",
		"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "33",
	} {
		requireAnswer(t, want, p.URL(Owner, Owner), "SHOW "+setting)
	}
}

func TestDatabases(t *testing.T) {
	t.Parallel()
	p := startPostgres(t, Options{Dir: folder(t)})
	require.NoError(t, p.CreateDatabase(t.Context(), "first", ""))
	require.NoError(t, p.Exec(t.Context(), "first", "CREATE TABLE t AS SELECT 1 AS one; CREATE TABLE u ()"))

	// Somebody is still connected to the template, and leaves only while it is being copied.
	conn, err := pgx.Connect(t.Context(), p.URL(Owner, "first"))
	require.NoError(t, err)
	copied := make(chan error, 1)
	go func() { copied <- p.CreateDatabase(t.Context(), "second", "first") }()
	require.NoError(t, conn.Close(t.Context()))
	require.NoError(t, <-copied)
	requireAnswer(t, "1", p.URL(Owner, "second"), "SELECT one FROM t")

	require.NoError(t, p.DropDatabase(t.Context(), "second"))
	require.NoError(t, p.DropDatabase(t.Context(), "second"))
	_, err = ask(t.Context(), p.URL(Owner, "second"), "SELECT 1")
	require.ErrorContains(t, err, "3D000")
}

func TestStopAndStart(t *testing.T) {
	t.Parallel()
	p := startPostgres(t, Options{Dir: folder(t)})
	require.NoError(t, p.Exec(t.Context(), Owner, "CREATE TABLE kept AS SELECT 42 AS answer"))
	url := p.URL(Owner, Owner)
	family := append(children(p.PID()), p.PID())

	stop(t, p.Server)
	stop(t, p.Server)
	require.Zero(t, p.PID())
	for _, pid := range family {
		require.True(t, gone(pid), "process %d", pid)
	}
	_, err := ask(t.Context(), url, "SELECT 1")
	require.Error(t, err)

	require.NoError(t, p.Start(t.Context()))
	require.NoError(t, p.Start(t.Context()))
	requireAnswer(t, "42", url, "SELECT answer FROM kept")
}

func TestKillAndStart(t *testing.T) {
	t.Parallel()
	p := startPostgres(t, Options{Dir: folder(t)})
	require.NoError(t, p.Exec(t.Context(), Owner, "CREATE TABLE kept AS SELECT 42 AS answer"))
	family := append(children(p.PID()), p.PID())
	require.NoError(t, p.Kill())
	for _, pid := range family {
		require.True(t, gone(pid), "process %d", pid)
	}
	require.NoError(t, p.Start(t.Context()))
	requireAnswer(t, "42", p.URL(Owner, Owner), "SELECT answer FROM kept")

	// The same when it dies by another hand, and another process has its id meanwhile.
	signal(syscall.SIGKILL, p.PID())
	require.Eventually(t, func() bool { return p.PID() == 0 }, 10*time.Second, poll)
	lock := filepath.Join(p.folder, "postmaster.pid")
	text, err := os.ReadFile(lock)
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(text), "\n")
	require.NoError(t, os.WriteFile(lock, []byte(strconv.Itoa(os.Getpid())+"\n"+rest), 0o600))
	require.NoError(t, p.Start(t.Context()))
	requireAnswer(t, "42", p.URL(Owner, Owner), "SELECT answer FROM kept")
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	p := startPostgres(t, Options{Dir: folder(t)})
	conn, err := pgx.Connect(t.Context(), p.URL(Owner, Owner))
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	p.Pause()
	answered := make(chan error, 1)
	go func() {
		_, err := conn.Exec(t.Context(), "SELECT 1")
		answered <- err
	}()
	select {
	case err := <-answered:
		require.Fail(t, "a paused server answered", "%v", err)
	case <-time.After(200 * time.Millisecond):
	}
	p.Resume()
	require.NoError(t, <-answered)

	p.Pause()
	stop(t, p.Server)
}

func TestPgBouncerKeepsRoles(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	p := startPostgres(t, Options{Dir: dir})
	b, err := StartPgBouncer(t.Context(), Options{Dir: dir}, p)
	require.NoError(t, err)
	t.Cleanup(func() { stop(t, b.Server) })
	require.NoError(t, p.CreateDatabase(t.Context(), "homes", ""))
	require.NoError(t, p.Exec(t.Context(), "homes", "CREATE ROLE honeydue_tasks LOGIN"))

	requireAnswer(t, "honeydue_tasks", b.URL("honeydue_tasks", "homes"), "SELECT current_user")
	requireAnswer(t, Owner, b.URL(Owner, "homes"), "SELECT current_user")
	_, err = ask(t.Context(), b.URL("nobody_knows", "homes"), "SELECT 1")
	require.Error(t, err)

	// One connection to PostgreSQL serves two of ours by turns: that is transaction mode.
	first, err := pgx.Connect(t.Context(), b.URL("honeydue_tasks", "homes")+"&default_query_exec_mode=exec")
	require.NoError(t, err)
	second, err := pgx.Connect(t.Context(), b.URL("honeydue_tasks", "homes")+"&default_query_exec_mode=exec")
	require.NoError(t, err)
	defer func() {
		require.NoError(t, first.Close(context.WithoutCancel(t.Context())))
		require.NoError(t, second.Close(context.WithoutCancel(t.Context())))
	}()
	var one, other int
	require.NoError(t, first.QueryRow(t.Context(), "SELECT pg_backend_pid()").Scan(&one))
	require.NoError(t, second.QueryRow(t.Context(), "SELECT pg_backend_pid()").Scan(&other))
	require.Equal(t, one, other)

	// PostgreSQL away, when PgBouncer lets its clients wait, and back.
	stop(t, p.Server)
	soon, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = ask(soon, b.URL("honeydue_tasks", "homes"), "SELECT 1")
	require.Error(t, err)
	require.NoError(t, p.Start(t.Context()))
	require.Eventually(t, func() bool {
		_, err := ask(t.Context(), b.URL("honeydue_tasks", "homes"), "SELECT 1")
		return err == nil
	}, 10*time.Second, poll)

	stop(t, b.Server)
	require.NoError(t, b.Start(t.Context()))
	requireAnswer(t, "honeydue_tasks", b.URL("honeydue_tasks", "homes"), "SELECT current_user")
}

func TestRedis(t *testing.T) {
	t.Parallel()
	for _, durable := range []bool{false, true} {
		t.Run(fmt.Sprint("durable ", durable), func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			r := startRedis(t, Options{Dir: folder(t), Durable: durable, Settings: map[string]string{"databases": "20"}})
			o, err := redis.ParseURL(r.URL(19))
			require.NoError(t, err)
			o.ReadTimeout, o.MaxRetries = 200*time.Millisecond, -1
			client := redis.NewClient(o)
			defer func() { require.NoError(t, client.Close()) }()
			require.NoError(t, client.Set(ctx, "a", "1", 0).Err())

			r.Pause()
			require.Error(t, client.Get(ctx, "a").Err())
			r.Resume()
			require.Equal(t, "1", client.Get(ctx, "a").Val())

			require.NoError(t, r.Kill())
			require.NoError(t, r.Start(ctx))
			require.Eventually(t, func() bool { return client.Ping(ctx).Err() == nil }, 10*time.Second, poll)
			if durable {
				require.Equal(t, "1", client.Get(ctx, "a").Val())
			} else {
				require.ErrorIs(t, client.Get(ctx, "a").Err(), redis.Nil)
			}
		})
	}
}
