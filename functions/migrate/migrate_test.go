package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/pg"
)

func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) })
	return conn
}

func value[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) (v T) {
	t.Helper()
	require.NoError(t, conn.QueryRow(t.Context(), sql, args...).Scan(&v))
	return v
}

func TestRolloutsAtOnceMigrateOnce(t *testing.T) {
	t.Parallel()
	server := devtest.NewServers(t).Postgres
	require.NoError(t, server.CreateDatabase(t.Context(), "fresh", "template0"))
	url := server.URL("postgres", "fresh")
	errs := make([]error, 4)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() { errs[i] = migrate(t.Context(), slog.New(slog.DiscardHandler), url) })
	}
	group.Wait()
	require.NoError(t, errors.Join(errs...))

	owner := connect(t, url)
	files, err := fs.Glob(migrations, "migrations/*.sql")
	require.NoError(t, err)
	require.Equal(t, len(files), value[int](t, owner, `SELECT count(*) FROM goose_db_version WHERE version_id > 0`))
	require.LessOrEqual(t, pg.SchemaVersion, value[int](t, owner, `SELECT max(version_id) FROM goose_db_version`))
	for _, function := range functions {
		role := "honeydue_" + function
		require.Equal(t, "f f f t", value[string](t, owner, `SELECT concat_ws(' ', rolsuper, rolcreatedb, rolcreaterole, rolcanlogin) FROM pg_roles WHERE rolname = $1`, role))
		conn := connect(t, server.URL(role, "fresh"))
		require.Equal(t, "5s 4s 5s", value[string](t, conn, `
			SELECT concat_ws(' ', current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout'))`))
	}
}

func TestAMigrationDoesNotQueuePeopleBehindATable(t *testing.T) {
	t.Parallel()
	db, err := open(devtest.New(t).OwnerURL())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	for range 2 {
		var timeout string
		require.NoError(t, db.QueryRowContext(t.Context(), `SHOW lock_timeout`).Scan(&timeout))
		require.Equal(t, "5s", timeout)
	}
	_, err = open("postgres://user:hunter2@host:nonsense/db")
	require.EqualError(t, err, "DATABASE_URL is not a PostgreSQL address")
}

func TestPasswordsAreSetAndNeverTold(t *testing.T) {
	own := devtest.New(t)
	owner := connect(t, own.OwnerURL())
	t.Setenv("SITE_DATABASE_PASSWORD", `it's "hunter2" \ %s`)
	var log strings.Builder
	require.NoError(t, migrate(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), own.OwnerURL()))
	require.NotContains(t, log.String(), "hunter2")
	has := func(function string) bool {
		return value[bool](t, owner, `SELECT rolpassword IS NOT NULL FROM pg_authid WHERE rolname = 'honeydue_' || $1`, function)
	}
	require.True(t, has("site"))
	require.False(t, has("sweeper"))
}

// A second login has what its function's role has, by way of that role, and its time-outs; either's password is set.
func TestLogins(t *testing.T) {
	own := devtest.New(t)
	owner := connect(t, own.OwnerURL())
	defer func() { // roles are the server's, which other tests have too
		_, err := owner.Exec(t.Context(), `DROP ROLE IF EXISTS honeydue_media_b`)
		require.NoError(t, err)
	}()
	// As of a server where somebody made it by hand.
	_, err := owner.Exec(t.Context(), `CREATE ROLE honeydue_media_b LOGIN NOINHERIT`)
	require.NoError(t, err)
	t.Setenv("DATABASE_LOGINS", "honeydue_media:hunter2,honeydue_media_b:hunter3")
	var log strings.Builder
	for range 2 {
		require.NoError(t, migrate(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), own.OwnerURL()))
	}
	require.NotContains(t, log.String(), "hunter")
	for _, login := range []string{"honeydue_media", "honeydue_media_b"} {
		require.True(t, value[bool](t, owner, `SELECT rolpassword IS NOT NULL FROM pg_authid WHERE rolname = $1`, login))
		conn := connect(t, own.Servers.Postgres.URL(login, own.Name))
		require.Equal(t, "5s", value[string](t, conn, `SELECT current_setting('statement_timeout')`))
		require.Equal(t, 0, value[int](t, conn, `SELECT count(id) FROM upload_media`))
		_, err := conn.Exec(t.Context(), `SELECT password_hash FROM auth_user`)
		require.ErrorContains(t, err, "permission denied")
	}
	for _, list := range []string{"honeydue_media", "honeydue_media:", "media:x", "honeydue_migrate:x", "postgres:x", "honeydue_media_c:x", "honeydue_media:x,"} {
		t.Setenv("DATABASE_LOGINS", list)
		require.ErrorIs(t, migrate(t.Context(), slog.New(slog.DiscardHandler), own.OwnerURL()), errLogins, list)
	}
}

// Functions sign in while a rollout migrates: a password that a rotation replaced comes back at no moment.
func TestPasswordsOfARotationHold(t *testing.T) {
	t.Parallel()
	given := map[string]string{
		"MEDIA_DATABASE_PASSWORD": "old", "SITE_DATABASE_PASSWORD": "kept", "DATABASE_LOGINS": "honeydue_media:new,honeydue_media_b:second",
	}
	passwords, err := readPasswords(func(name string) string { return given[name] })
	require.NoError(t, err)
	require.Equal(t, map[string]string{"honeydue_media": "new", "honeydue_media_b": "second", "honeydue_site": "kept"}, passwords)
}

// Each role may do what its function does, which the functions' own tests show, and nothing of this.
func TestWhatRolesAreRefused(t *testing.T) {
	t.Parallel()
	own := devtest.New(t)
	refused := map[string][]string{
		"auth": {
			`UPDATE residence_residence SET name = 'x'`, `UPDATE task_task SET title = 'x'`, `DELETE FROM task_task`,
			`SELECT code_hash FROM residence_share_code`, `SELECT answer FROM shared_idempotency`, `UPDATE outbox_event SET data = '{}'`,
			`DELETE FROM outbox_delivery`, `SELECT last_error FROM notification_message`, `DELETE FROM task_taskcompletion`,
			`SELECT object_key FROM upload_media`, `SELECT object_key FROM pending_uploads`, `DELETE FROM upload_media`,
			`INSERT INTO notification_message DEFAULT VALUES`, `UPDATE notification_message SET state = 'sent'`, `DELETE FROM notification_message`,
			`SELECT devices FROM notification_message`, `SELECT 1 FROM notification_schedule`,
		},
		"residences": {
			`SELECT password_hash FROM auth_user`, `UPDATE auth_user SET email = 'x'`, `SELECT nonce FROM auth_code`, `SELECT old_email FROM auth_email_change`,
			`INSERT INTO auth_session (user_id, token_hash, expires_at) VALUES (1, '', now())`, `UPDATE auth_session SET user_id = 1`,
			`SELECT title FROM task_task`, `UPDATE task_task SET title = 'x'`, `DELETE FROM task_task`, `UPDATE outbox_delivery SET state = 'done'`,
			`SELECT notes FROM task_taskcompletion`, `UPDATE task_taskcompletion SET notes = 'x'`,
			`UPDATE upload_media SET state = 'ready'`, `UPDATE pending_uploads SET user_id = 1`, `SELECT title FROM upload_document`,
			`SELECT 1 FROM auth_device`, `SELECT muted FROM auth_user`, `SELECT 1 FROM notification_message`, `SELECT 1 FROM notification_schedule`,
		},
		"tasks": {
			`SELECT password_hash FROM auth_user`, `SELECT email FROM auth_user`, `SELECT nonce FROM auth_code`, `UPDATE auth_session SET user_id = 1`,
			`SELECT street_address FROM residence_residence`, `UPDATE residence_residence SET name = 'x'`, `SELECT code_hash FROM residence_share_code`,
			`INSERT INTO residence_member (residence_id, user_id, role) VALUES (1, 1, 'owner')`, `DELETE FROM residence_member`,
			`UPDATE task_template SET title = 'x'`, `SELECT phone FROM residence_contractor`, `UPDATE task_frequency SET name = 'x'`, `DELETE FROM outbox_event`,
			`UPDATE upload_media SET state = 'ready'`, `DELETE FROM upload_media`, `SELECT title FROM upload_document`,
			`SELECT 1 FROM auth_device`, `SELECT muted FROM auth_user`, `SELECT quiet_from FROM auth_user`, `UPDATE auth_user SET task_overdue_hour = 1`,
			`SELECT 1 FROM notification_message`, `SELECT 1 FROM notification_schedule`,
		},
		"notifications": {
			`SELECT password_hash FROM auth_user`, `UPDATE auth_user SET email = 'x'`, `SELECT token_hash FROM auth_session`, `UPDATE auth_code SET used_at = now()`,
			`SELECT tries FROM auth_code`, `UPDATE outbox_event SET data = '{}'`, `DELETE FROM outbox_delivery`, `UPDATE outbox_delivery SET consumer = 'x'`,
			`UPDATE task_task SET title = 'x'`, `SELECT answer FROM shared_idempotency`, `DELETE FROM notification_message`,
			`SELECT name FROM auth_device`, `SELECT token_hash FROM auth_session`, `INSERT INTO auth_device DEFAULT VALUES`, `UPDATE auth_device SET user_id = 1`,
			`UPDATE auth_user SET muted = '{}'`, `SELECT vendor FROM upload_document`, `INSERT INTO notification_schedule (name) VALUES ('x')`,
			`UPDATE notification_schedule SET name = 'x'`, `DELETE FROM notification_schedule`,
		},
		"sweeper": {
			`SELECT email FROM auth_user`, `SELECT token_hash FROM auth_session`, `SELECT nonce FROM auth_code`, `SELECT old_email FROM auth_email_change`,
			`SELECT answer FROM shared_idempotency`, `UPDATE outbox_delivery SET state = 'done'`, `UPDATE outbox_event SET data = '{}'`,
			`SELECT 1 FROM task_task`, `SELECT refs FROM notification_message`, `UPDATE notification_message SET state = 'pending'`,
			`SELECT filename FROM upload_media`, `DELETE FROM upload_media`, `SELECT 1 FROM upload_document`, `INSERT INTO upload_tombstone (object_key) VALUES ('x')`,
			`SELECT 1 FROM auth_device`, `DELETE FROM auth_device`, `SELECT muted FROM auth_user`, `SELECT 1 FROM notification_schedule`,
		},
		"site": {
			`SELECT password_hash FROM auth_user`, `SELECT 1 FROM auth_session`, `SELECT 1 FROM residence_residence`, `SELECT 1 FROM task_task`,
			`SELECT 1 FROM outbox_event`, `SELECT 1 FROM shared_idempotency`, `SELECT 1 FROM upload_media`,
			`SELECT 1 FROM auth_device`, `SELECT 1 FROM notification_message`, `SELECT 1 FROM notification_schedule`,
		},
		"uploads": {
			`SELECT password_hash FROM auth_user`, `UPDATE auth_session SET user_id = 1`, `SELECT street_address FROM residence_residence`,
			`SELECT title FROM task_task`, `SELECT phone FROM residence_contractor`, `UPDATE upload_media SET state = 'ready'`, `DELETE FROM pending_uploads`,
			`UPDATE pending_uploads SET user_id = 1`, `INSERT INTO upload_tombstone (object_key) VALUES ('x')`, `DELETE FROM upload_tombstone`,
			`SELECT 1 FROM auth_device`, `SELECT muted FROM auth_user`, `SELECT 1 FROM notification_message`, `SELECT 1 FROM notification_schedule`,
		},
		"media": {
			`SELECT 1 FROM auth_session`, `SELECT 1 FROM residence_member`, `SELECT 1 FROM pending_uploads`, `UPDATE upload_media SET object_key = 'x'`,
			`UPDATE upload_media SET residence_id = 1`, `DELETE FROM upload_media`, `INSERT INTO upload_tombstone (object_key) VALUES ('x')`,
			`UPDATE outbox_event SET data = '{}'`, `SELECT 1 FROM auth_device`, `SELECT 1 FROM notification_message`, `SELECT 1 FROM notification_schedule`,
		},
		"admin": {
			`SELECT password_hash FROM auth_user`, `UPDATE auth_user SET email = 'x'`, `UPDATE auth_user SET password_hash = 'x'`, `DELETE FROM auth_user`,
			`INSERT INTO auth_session (user_id, token_hash, expires_at) VALUES (1, '', now())`, `SELECT nonce FROM auth_code`, `SELECT new_email FROM auth_code`,
			`SELECT token FROM auth_device`, `SELECT code_hash FROM residence_share_code`, `SELECT object_key FROM upload_media`, `SELECT object_key FROM pending_uploads`,
			`SELECT filename FROM upload_media`, `SELECT object_key FROM upload_tombstone`, `SELECT answer FROM shared_idempotency`,
			`UPDATE task_task SET title = 'x'`, `DELETE FROM residence_residence`, `DELETE FROM residence_member`, `UPDATE outbox_event SET data = '{}'`,
			`DELETE FROM outbox_delivery`, `DELETE FROM admin_account`, `INSERT INTO admin_audit (at, act, subject, address) VALUES ('2020-01-01', 'x', 'x', 'x')`, `UPDATE admin_audit SET act = 'x'`, `DELETE FROM admin_audit`, `TRUNCATE admin_audit`,
			`UPDATE admin_session SET account_id = 1`, `UPDATE shared_schedule SET runs = '{}'`,
		},
	}
	for _, function := range functions {
		require.NotEmpty(t, refused[function], function)
		conn := connect(t, own.DirectURL("honeydue_"+function))
		var executable []string
		require.NoError(t, conn.QueryRow(t.Context(), `SELECT coalesce(array_agg(proname::text), '{}') FROM pg_proc
			WHERE pronamespace = 'public'::regnamespace AND prosecdef AND has_function_privilege(oid, 'EXECUTE')`).Scan(&executable))
		require.Empty(t, executable, "%s may run as the owner what it likes", function)
		for _, sql := range append(refused[function], `CREATE TABLE mine ()`, `DELETE FROM goose_db_version`, `TRUNCATE outbox_event`) {
			_, err := conn.Exec(t.Context(), sql)
			require.ErrorContains(t, err, "permission denied", "%s: %s", function, sql)
		}
	}
}
