package devtest

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/honeydue/backend/shared/devserver"
)

// A Database is one test's own.
type Database struct {
	// Servers are where it lives. Other tests use them too, unless they come from NewServers: do not stop those.
	Servers *Servers

	// Name is the database's name in PostgreSQL.
	Name string

	redis int
}

// New returns a database copied from the migrated template, and a flushed Redis database. Both are given back
// when the test ends.
func (s *Servers) New(t testing.TB) *Database {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), setupTimeout)
	defer cancel()
	d := &Database{Servers: s, Name: "test_" + strings.ToLower(rand.Text())}
	if err := s.copyTemplate(ctx, d.Name); err != nil {
		t.Fatalf("make database of test: %v", err)
	}
	t.Cleanup(func() { d.drop(t) })
	select {
	case d.redis = <-s.redis:
		t.Cleanup(func() { s.redis <- d.redis })
	case <-ctx.Done():
		t.Fatalf("make database of test: all %d databases of redis are taken", redisDatabases)
	}
	if err := d.flush(ctx); err != nil {
		t.Fatalf("flush redis of test: %v", err)
	}
	return d
}

// copyTemplate makes one database at a time: PostgreSQL copies a template for one only.
func (s *Servers) copyTemplate(ctx context.Context, name string) error {
	select {
	case s.copying <- struct{}{}:
		defer func() { <-s.copying }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.Postgres.CreateDatabase(ctx, name, template)
}

// drop removes the database. On a server that the test has stopped there is nothing to do.
func (d *Database) drop(t testing.TB) {
	t.Helper()
	if d.Servers.Postgres.PID() == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), setupTimeout)
	defer cancel()
	d.Servers.Postgres.Resume()
	if err := d.Servers.Postgres.DropDatabase(ctx, d.Name); err != nil {
		t.Errorf("drop database of test: %v", err)
	}
}

func (d *Database) flush(ctx context.Context) error {
	o, err := redis.ParseURL(d.RedisURL())
	if err != nil {
		return err
	}
	client := redis.NewClient(o)
	defer func() { _ = client.Close() }()
	return client.FlushDB(ctx).Err()
}

// URL returns the address for a function with this database role: through PgBouncer when the tests go that way.
func (d *Database) URL(role string) string {
	if d.Servers.PgBouncer != nil {
		return d.Servers.PgBouncer.URL(role, d.Name)
	}
	return d.DirectURL(role)
}

// DirectURL returns the address for a database role that never goes through PgBouncer.
func (d *Database) DirectURL(role string) string { return d.Servers.Postgres.URL(role, d.Name) }

// OwnerURL returns the direct address for the superuser, who owns the schema.
func (d *Database) OwnerURL() string { return d.DirectURL(devserver.Owner) }

// ExecMode returns pgx's query mode for URL, as DATABASE_EXEC_MODE names it.
func (d *Database) ExecMode() string {
	if d.Servers.PgBouncer != nil {
		return "exec"
	}
	return "cache_statement"
}

// RedisURL returns the address of the test's Redis database.
func (d *Database) RedisURL() string { return d.Servers.Redis.URL(d.redis) }
