package pg_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/devserver/ports"
	"github.com/honeydue/backend/shared/pg"
)

func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }

// setup returns a pool of the schema's owner on a database with one table of numbers.
func setup(t *testing.T) *pg.DB {
	t.Helper()
	own := devtest.New(t)
	return open(t, own.URL("postgres"), own.ExecMode())
}

func open(t *testing.T, url, mode string) *pg.DB {
	t.Helper()
	var exec pg.ExecMode
	require.NoError(t, exec.Decode(mode))
	db, err := pg.Open(t.Context(), pg.Config{URL: url, ExecMode: exec, PoolSize: 2})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return db
}

func numbers(t *testing.T, db *pg.DB) []int64 {
	t.Helper()
	rows, err := db.Query(t.Context(), `SELECT id FROM task_category WHERE id > 1000 ORDER BY id`)
	require.NoError(t, err)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	require.NoError(t, err)
	return ids
}

const insertNumber = `INSERT INTO task_category (id, name, icon, color) VALUES ($1, $2, '', '')`

func TestInTxCommitsAndRollsBack(t *testing.T) {
	t.Parallel()
	db := setup(t)
	ran := false
	require.NoError(t, pg.InTx(t.Context(), db, func(tx *pg.Tx) error {
		tx.AfterCommit(func() { ran = true })
		n, err := tx.Exec(t.Context(), insertNumber, 1001, "a")
		require.EqualValues(t, 1, n)
		tx.Queue(insertNumber, 1002, "b")
		return err
	}))
	require.True(t, ran)
	require.Equal(t, []int64{1001, 1002}, numbers(t, db))

	boom := errors.New("boom")
	require.ErrorIs(t, pg.InTx(t.Context(), db, func(tx *pg.Tx) error {
		tx.AfterCommit(func() { t.Error("ran after a rollback") })
		_, err := tx.Exec(t.Context(), insertNumber, 1003, "c")
		return errors.Join(err, boom)
	}), boom)
	require.Equal(t, []int64{1001, 1002}, numbers(t, db))
}

func TestQueuedStatementThatFailsRollsBackEverything(t *testing.T) {
	t.Parallel()
	db := setup(t)
	err := pg.InTx(t.Context(), db, func(tx *pg.Tx) error {
		tx.AfterCommit(func() { t.Error("ran after a failed commit") })
		_, err := tx.Exec(t.Context(), insertNumber, 1001, "a")
		tx.Queue(insertNumber, 1002, "Plumbing")
		tx.Queue(insertNumber, 1003, "c")
		return err
	})
	require.True(t, pg.Violates(err, "task_category_name_key"), "%v", err)
	require.Empty(t, numbers(t, db))
	// Both connections of the pool are clean.
	for i := range 4 {
		require.NoError(t, pg.InTx(t.Context(), db, func(tx *pg.Tx) error {
			tx.Queue(insertNumber, 1001+i, string(rune('a'+i)))
			return nil
		}))
	}
	require.Len(t, numbers(t, db), 4)
}

func TestStatementThatFailsFirst(t *testing.T) {
	t.Parallel()
	db := setup(t)
	for range 3 {
		err := pg.InTx(t.Context(), db, func(tx *pg.Tx) error {
			_, err := pg.Value[int64](t.Context(), tx, `SELECT id FROM task_category WHERE name = $1 AND 1 / (id - id) = 1`, "Plumbing")
			return err
		})
		require.ErrorContains(t, err, "division by zero")
		require.False(t, pg.Unavailable(err))
	}
	name, err := pg.Value[string](t.Context(), db, `SELECT name FROM task_category WHERE id = $1`, 9)
	require.NoError(t, err)
	require.Equal(t, "Plumbing", name)
}

func TestReadersOfATransaction(t *testing.T) {
	t.Parallel()
	db := setup(t)
	require.NoError(t, pg.InTx(t.Context(), db, func(tx *pg.Tx) error {
		all, err := pg.All[struct{ ID int64 }](t.Context(), tx, `SELECT id FROM task_category ORDER BY id`)
		require.NoError(t, err)
		require.Len(t, all, 13)
		_, err = pg.Value[string](t.Context(), tx, `SELECT name FROM task_category WHERE id = $1`, 99)
		require.ErrorIs(t, err, pgx.ErrNoRows)
		return nil
	}))
}

func TestUnavailable(t *testing.T) {
	t.Parallel()
	port, err := ports.Free(t.Context())
	require.NoError(t, err)
	db := open(t, "postgres://nobody@"+net.JoinHostPort("127.0.0.1", strconv.Itoa(port))+"/nothing", "exec")
	_, err = db.Exec(t.Context(), `SELECT 1`)
	require.True(t, pg.Unavailable(err), "%v", err)
	require.NotContains(t, err.Error(), "SELECT")
	require.True(t, pg.Unavailable(context.DeadlineExceeded))
	require.True(t, pg.Unavailable(pg.ErrSchemaOld))
	require.False(t, pg.Unavailable(pgx.ErrNoRows))
}

func TestServerStopsAndComesBack(t *testing.T) {
	t.Parallel()
	servers := devtest.NewServers(t)
	own := servers.New(t)
	db := open(t, own.DirectURL("postgres"), "cache_statement")
	require.Empty(t, numbers(t, db))
	require.NoError(t, servers.Postgres.Stop(t.Context()))
	began := time.Now()
	err := pg.InTx(t.Context(), db, func(tx *pg.Tx) error {
		tx.Queue(insertNumber, 1001, "a")
		return nil
	})
	require.True(t, pg.Unavailable(err), "%v", err)
	require.Less(t, time.Since(began), 5*time.Second)
	require.NoError(t, servers.Postgres.Start(t.Context()))
	require.NoError(t, pg.InTx(t.Context(), db, func(tx *pg.Tx) error {
		tx.Queue(insertNumber, 1001, "a")
		return nil
	}), "the next call works, without a restart")
}

func TestOnlyACommitWithoutAnAnswerIsInDoubt(t *testing.T) {
	t.Parallel()
	db := setup(t)
	insert := func(ctx context.Context, id int64, name string) error {
		return pg.InTx(ctx, db, func(tx *pg.Tx) error {
			tx.Queue(insertNumber, id, name)
			return nil
		})
	}
	require.NoError(t, insert(t.Context(), 1001, "a"))
	require.False(t, pg.InDoubt(insert(t.Context(), 1002, "a")), "refused by PostgreSQL")
	over, cancel := context.WithCancel(t.Context())
	cancel()
	require.False(t, pg.InDoubt(insert(over, 1003, "c")), "never sent")

	own := devtest.New(t)
	victim := open(t, own.DirectURL("postgres"), "exec")
	err := pg.InTx(t.Context(), victim, func(tx *pg.Tx) error {
		pid, err := pg.Value[int32](t.Context(), tx, `SELECT pg_backend_pid()`)
		require.NoError(t, err)
		_, err = victim.Exec(t.Context(), `SELECT pg_terminate_backend($1, 5000)`, pid)
		return err
	})
	require.True(t, pg.InDoubt(err), "%v", err)
	require.True(t, pg.Unavailable(err), "%v", err)
}

// TestAConnectionCutBehindACommitIsInDoubt: the network says nothing more, and nor does PostgreSQL.
func TestAConnectionCutBehindACommitIsInDoubt(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"exec", "cache_statement"} {
		own := devtest.New(t)
		db := open(t, cutBehindCommit(t, own.DirectURL("postgres")), mode)
		err := pg.InTx(t.Context(), db, func(tx *pg.Tx) error {
			_, err := pg.Value[int32](t.Context(), tx, `SELECT pg_backend_pid()`)
			return err
		})
		require.True(t, pg.InDoubt(err), "%s: %v", mode, err)
		require.True(t, pg.Unavailable(err), "%s: %v", mode, err)
	}
}

// cutBehindCommit returns the address of a relay before the server at url that passes a COMMIT on and hangs up.
func cutBehindCommit(t *testing.T, address string) string {
	t.Helper()
	target, err := url.Parse(address)
	require.NoError(t, err)
	server := target.Host
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var group sync.WaitGroup
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		group.Wait()
	})
	group.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() { relayUntilCommit(near, server) })
		}
	})
	target.Host = listener.Addr().String()
	return target.String()
}

func relayUntilCommit(near net.Conn, server string) {
	defer func() { _ = near.Close() }()
	far, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", server)
	if err != nil {
		return
	}
	defer func() { _ = far.Close() }()
	go func() {
		_, _ = io.Copy(near, far)
		_ = near.Close()
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := near.Read(buffer)
		if err != nil {
			return
		}
		committing := bytes.Contains(buffer[:n], []byte("COMMIT"))
		if committing {
			_ = near.Close()
		}
		if _, err := far.Write(buffer[:n]); err != nil || committing {
			return
		}
	}
}

func TestConfigIsNotEchoed(t *testing.T) {
	t.Parallel()
	_, err := pg.Open(t.Context(), pg.Config{URL: "postgres://user:hunter2@host:nonsense/db"})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hunter2")
	var mode pg.ExecMode
	require.Error(t, mode.Decode("hunter2"))
}

// TestEveryPersonIsKnownWhenGone asks about every foreign key to a person that the schema has.
func TestEveryPersonIsKnownWhenGone(t *testing.T) {
	t.Parallel()
	db := open(t, devtest.New(t).DirectURL("postgres"), "exec")
	type reference struct{ Child, Constraint string }
	found, err := pg.All[reference](t.Context(), db, `
		SELECT conrelid::regclass::text AS child, conname AS constraint
		FROM pg_constraint WHERE contype = 'f' AND confrelid = 'auth_user'::regclass`)
	require.NoError(t, err)
	require.NotEmpty(t, found)
	for _, r := range found {
		gone := &pgconn.PgError{Code: "23503", TableName: r.Child, ConstraintName: r.Constraint}
		require.True(t, pg.PersonGone(gone), r.Constraint)
	}
	require.False(t, pg.PersonGone(&pgconn.PgError{Code: "23503", TableName: "task_task", ConstraintName: "task_task_category_id_fkey"}))
	require.False(t, pg.PersonGone(&pgconn.PgError{Code: "23505", TableName: "auth_code", ConstraintName: "auth_code_user_id_fkey"}))
}
