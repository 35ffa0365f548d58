package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/devserver/devtest"
)

func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }

// A bundle is a database with something in it, a bucket, and who may open dumps.
type bundle struct {
	db    *devtest.Database
	cfg   config
	store *bucket.Bucket
	owner *pgx.Conn
}

func setup(t *testing.T) *bundle {
	t.Helper()
	at := devtest.NewBucket(t)
	identity, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "identity")
	require.NoError(t, os.WriteFile(path, []byte(identity.String()+"\n"), 0o600))
	b := &bundle{db: devtest.New(t)}
	b.cfg = config{
		DatabaseURL: b.db.OwnerURL(), Recipient: identity.Recipient().String(), Identity: path, Fresh: time.Hour,
		Bucket: bucket.Config{Endpoint: at.Endpoint, Region: at.Region, Name: at.Name, AccessKey: at.AccessKey, SecretKey: at.SecretKey, Timeout: 20 * time.Second},
	}
	b.store, err = bucket.Open(b.cfg.Bucket)
	require.NoError(t, err)
	t.Cleanup(b.store.Close)
	b.owner = connectTo(t, b.cfg.DatabaseURL)
	for _, statement := range []string{
		`INSERT INTO auth_user (email, first_name) SELECT 'somebody' || g || '@example.com', 'Zoë "O''Hara" \n ' || chr(9731) FROM generate_series(1, 300) g`,
		`ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO pg_monitor`, // as a provider's own are in every dump
		`INSERT INTO auth_session (user_id, token_hash, expires_at) SELECT id, sha256(email::bytea), now() + interval '90 days' FROM auth_user`,
		`INSERT INTO residence_residence (name, created_by_id) SELECT 'Home', id FROM auth_user`,
		`INSERT INTO residence_member (residence_id, user_id, role) SELECT id, created_by_id, 'owner' FROM residence_residence`,
		`INSERT INTO task_task (residence_id, title, due_on, next_due_on, estimated_cost, created_by_id) SELECT id, 'Task', '2026-03-01', '2026-03-01', 12.34, created_by_id FROM residence_residence`,
		`INSERT INTO shared_idempotency (key_hash, body_hash, status, answer, user_id) SELECT sha256(id::text::bytea), '\x00ff', 201, '{"a": [1, null]}', id FROM auth_user`,
	} {
		_, err := b.owner.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	return b
}

func connectTo(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) })
	return conn
}

// empty returns the address of a database without anything.
func (b *bundle) empty(t *testing.T, name string) string {
	t.Helper()
	server := b.db.Servers.Postgres
	name = b.db.Name + name
	require.NoError(t, server.CreateDatabase(t.Context(), name, "template0"))
	t.Cleanup(func() { require.NoError(t, server.DropDatabase(context.WithoutCancel(t.Context()), name)) })
	return server.URL("postgres", name)
}

func (b *bundle) dump(t *testing.T) (name string) {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, dump(t.Context(), b.cfg, b.store, &out))
	name, _, _ = strings.Cut(out.String(), ":")
	return name
}

func (b *bundle) restore(t *testing.T, name, url string) (string, error) {
	t.Helper()
	cfg := b.cfg
	cfg.DatabaseURL = url
	var out bytes.Buffer
	err := restore(t.Context(), cfg, b.store, name, &out)
	return out.String(), err
}

// rows are all of a table, as text.
func rows(t *testing.T, conn *pgx.Conn, table string) []string {
	t.Helper()
	found, err := conn.Query(t.Context(), `SELECT t::text FROM `+table+` t ORDER BY 1`)
	require.NoError(t, err)
	all, err := pgx.CollectRows(found, pgx.RowTo[string])
	require.NoError(t, err)
	return all
}

// What is restored is what was there, row for row, with its grants; what people write while it is dumped is in it whole or not at all.
func TestDumpAndRestore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	writer, stop := connectTo(t, b.cfg.DatabaseURL), make(chan struct{})
	var writing sync.WaitGroup
	var wrong error
	writing.Go(func() {
		for wrong == nil {
			select {
			case <-stop:
				return
			default:
				_, wrong = writer.Exec(t.Context(), `
					WITH home AS (INSERT INTO residence_residence (name, created_by_id) SELECT 'Cabin', id FROM auth_user LIMIT 1 RETURNING id, created_by_id)
					INSERT INTO residence_member (residence_id, user_id, role) SELECT id, created_by_id, 'owner' FROM home`)
			}
		}
	})
	end := sync.OnceFunc(func() { close(stop); writing.Wait() })
	t.Cleanup(end)
	name := b.dump(t)
	end()
	require.NoError(t, wrong)

	said, err := b.restore(t, name, b.empty(t, "_restored"))
	require.NoError(t, err)
	require.Contains(t, said, "as they were")
	restored := connectTo(t, b.db.Servers.Postgres.URL("postgres", b.db.Name+"_restored"))
	for _, table := range []string{"auth_user", "auth_session", "task_task", "shared_idempotency"} {
		require.Equal(t, rows(t, b.owner, table), rows(t, restored, table), table)
	}
	require.Len(t, rows(t, restored, "residence_member"), len(rows(t, restored, "residence_residence")))
	var may, mayNot bool
	require.NoError(t, restored.QueryRow(t.Context(), `
		SELECT has_table_privilege('honeydue_tasks', 'task_task', 'SELECT'), has_table_privilege('honeydue_site', 'auth_user', 'SELECT')`).Scan(&may, &mayNot))
	require.True(t, may)
	require.False(t, mayNot)
	// What comes next has numbers of its own.
	var next int64
	require.NoError(t, restored.QueryRow(t.Context(), `INSERT INTO auth_user (email, first_name) VALUES ('next@example.com', 'Next') RETURNING id`).Scan(&next))
	require.Greater(t, next, int64(300))

	_, err = b.restore(t, name, b.cfg.DatabaseURL)
	require.ErrorContains(t, err, "restore into an empty one")
}

// A dump that somebody else could open, or that is not all there, is none.
func TestWhatIsNoDump(t *testing.T) {
	t.Parallel()
	b := setup(t)
	name := b.dump(t)
	url := b.empty(t, "_refused")
	content, object, err := b.store.Get(t.Context(), folder+name+dumpSuffix)
	require.NoError(t, err)
	head := make([]byte, 64)
	_, err = content.Read(head)
	require.NoError(t, err)
	require.NoError(t, content.Close())
	require.Contains(t, string(head), "age-encryption.org/v1")
	require.NotContains(t, string(head), "PGDMP")

	other, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	right := b.cfg.Identity
	b.cfg.Identity = filepath.Join(t.TempDir(), "other")
	require.NoError(t, os.WriteFile(b.cfg.Identity, []byte(other.String()), 0o600))
	_, err = b.restore(t, name, url)
	require.ErrorContains(t, err, "was it encrypted for another identity?")
	require.NoError(t, os.WriteFile(b.cfg.Identity, []byte("nothing"), 0o600))
	_, err = b.restore(t, name, url)
	require.ErrorContains(t, err, "holds no age identity")
	b.cfg.Identity = ""
	_, err = b.restore(t, name, url)
	require.ErrorContains(t, err, "BACKUP_IDENTITY is not set")
	b.cfg.Identity = right

	// A part of it, and a byte that is another one.
	whole, _, err := b.store.Get(t.Context(), folder+name+dumpSuffix)
	require.NoError(t, err)
	var all bytes.Buffer
	_, err = all.ReadFrom(whole)
	require.NoError(t, err)
	require.NoError(t, whole.Close())
	require.EqualValues(t, object.Size, all.Len())
	flipped := bytes.Clone(all.Bytes())
	flipped[len(flipped)/2] ^= 1
	for _, wrong := range [][]byte{all.Bytes()[:all.Len()/2], flipped} {
		require.NoError(t, b.store.Put(t.Context(), folder+name+dumpSuffix, "application/octet-stream", bytes.NewReader(wrong), int64(len(wrong))))
		_, err = b.restore(t, name, url)
		require.ErrorContains(t, err, "open dump "+name)
	}
	require.NoError(t, b.store.Delete(t.Context(), folder+name+listSuffix))
	_, err = b.restore(t, name, url)
	require.ErrorContains(t, err, "there is no whole dump "+name)
	_, err = b.restore(t, "yesterday", url)
	require.ErrorContains(t, err, `there is no dump "yesterday"`)
	var tables int
	require.NoError(t, connectTo(t, url).QueryRow(t.Context(), `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`).Scan(&tables))
	require.Zero(t, tables)
}

// libpq reads the address as pgx does: an address of the .env.example is verified in the same way by both.
func TestEnvironmentOfPrograms(t *testing.T) {
	t.Parallel()
	config, err := pgx.ParseConfig("postgres://owner:a%20word@db.example.com:5433/honeydue?sslmode=verify-full&sslrootcert=system&channel_binding=require")
	require.NoError(t, err)
	require.ElementsMatch(t, []string{
		"PGHOST=db.example.com", "PGPORT=5433", "PGUSER=owner", "PGPASSWORD=a word", "PGDATABASE=honeydue",
		"PGSSLMODE=verify-full", "PGSSLROOTCERT=system", "PGCHANNELBINDING=require",
	}, environment(config))
}

func TestDifferencesAreTold(t *testing.T) {
	t.Parallel()
	had := inventory{Tables: map[string]table{"a": {2, "5"}, "b": {1, "7"}, "c": {0, "0"}}, Sequences: map[string]int64{"s": 3}}
	require.Empty(t, had.differences(had))
	had.Definitions = map[string]string{"grant SELECT on a to everybody": "1", "index a_pkey": "2", "trigger a.b": "3"}
	require.Equal(t, []string{
		"table a has 1 rows, and had 2", "table b has as many rows, and others", "table c is missing", "table d is too many",
		"index a_pkey is another one", "trigger a.b is missing", "grant SELECT on a to honeydue_tasks is too many", "sequence s is at 2, and was at 3",
	}, had.differences(inventory{
		Tables: map[string]table{"a": {1, "2"}, "b": {1, "8"}, "d": {0, "0"}}, Sequences: map[string]int64{"s": 2},
		Definitions: map[string]string{"grant SELECT on a to everybody": "1", "index a_pkey": "4", "grant SELECT on a to honeydue_tasks": "1"},
	}))
}

// Whatever a migration can make is in the list, and so is a change of it.
func TestDefinitions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	take := func() inventory {
		tx, err := b.owner.Begin(t.Context())
		require.NoError(t, err)
		h, err := takeInventory(t.Context(), tx)
		require.NoError(t, err)
		require.NoError(t, tx.Rollback(t.Context()))
		return h
	}
	had := take()
	for change, want := range map[string]string{
		`ALTER TABLE task_task ALTER COLUMN title SET DEFAULT 'x'`:                                                    "column task_task.title is another one",
		`ALTER TABLE task_task ALTER COLUMN title DROP NOT NULL`:                                                      "column task_task.title is another one",
		`DROP INDEX task_task_title`:                                                                                  "index task_task_title is missing",
		`DROP TRIGGER admin_audit_row ON admin_audit`:                                                                 "trigger admin_audit.admin_audit_row is missing",
		`ALTER TABLE admin_audit DISABLE TRIGGER admin_audit_row`:                                                     "trigger admin_audit.admin_audit_row is another one",
		`CREATE OR REPLACE FUNCTION admin_audit_stays() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`: "function admin_audit_stays() is another one",
		`REVOKE SELECT ON shared_schedule FROM honeydue_admin`:                                                        "grant SELECT on shared_schedule to honeydue_admin is missing",
		`GRANT SELECT (email) ON auth_user TO PUBLIC`:                                                                 "grant SELECT on auth_user.email to everybody is too many",
		`ALTER TABLE residence_member DROP CONSTRAINT residence_member_residence_id_fkey`:                             "constraint residence_member.residence_member_residence_id_fkey is missing",
		`CREATE VIEW everybody AS SELECT FROM auth_user`:                                                              "view everybody is too many",
		`DROP EXTENSION pg_trgm CASCADE`:                                                                              "extension pg_trgm is missing",
		`GRANT CREATE ON SCHEMA public TO honeydue_site`:                                                              "grant CREATE on schema public to honeydue_site is too many",
		`REVOKE EXECUTE ON FUNCTION admin_audit_stays() FROM PUBLIC`:                                                  "grant EXECUTE on admin_audit_stays() to everybody is missing",
		`ALTER TABLE task_task ADD CONSTRAINT costs CHECK (estimated_cost > -1)`:                                      "constraint task_task.costs is too many",
	} {
		tx, err := b.owner.Begin(t.Context())
		require.NoError(t, err)
		_, err = tx.Exec(t.Context(), change)
		require.NoError(t, err, change)
		has, err := takeInventory(t.Context(), tx)
		require.NoError(t, err)
		require.NoError(t, tx.Rollback(t.Context()))
		require.Contains(t, had.differences(has), want, change)
	}
	require.Empty(t, had.differences(take()))
}

func TestList(t *testing.T) {
	t.Parallel()
	b := setup(t)
	listed := func() (string, error) {
		var out bytes.Buffer
		err := list(t.Context(), b.cfg, b.store, &out)
		return out.String(), err
	}
	_, err := listed()
	require.ErrorIs(t, err, errStale)
	put := func(key string) {
		require.NoError(t, b.store.Put(t.Context(), folder+key, "text/plain", strings.NewReader("x"), 1))
	}
	long, now := "2026-01-01T021700Z", time.Now().UTC().Format(nameStyle)
	put(long + dumpSuffix)
	put(long + listSuffix)
	out, err := listed()
	require.ErrorIs(t, err, errStale)
	require.Contains(t, out, long+"       0.0 MiB  whole\n")
	put(now + dumpSuffix)
	out, err = listed()
	require.ErrorIs(t, err, errStale, "one that is not whole does not count")
	require.Regexp(t, `^`+now+` .* not whole: its list is missing\n`+long, out)
	put(now + listSuffix)
	_, err = listed()
	require.NoError(t, err)
}

func TestWrongWords(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var out bytes.Buffer
	for _, args := range [][]string{nil, {"restore"}, {"dump", "now"}, {"delete", "x"}} {
		require.ErrorContains(t, command(t.Context(), args, &out), "usage: backup dump")
	}
	for said, change := range map[string]func(*config){
		"BACKUP_RECIPIENT is not an age recipient": func(c *config) { c.Recipient = "age1" },
		"DATABASE_URL is not a PostgreSQL address": func(c *config) { c.DatabaseURL = "" },
		"connect to the database":                  func(c *config) { c.DatabaseURL = "postgres://postgres:a-password@127.0.0.1:1/x" },
	} {
		cfg := b.cfg
		change(&cfg)
		err := dump(t.Context(), cfg, b.store, &out)
		require.ErrorContains(t, err, said)
		require.NotContains(t, err.Error(), "a-password")
	}
	require.Empty(t, out.String())
}
