package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/redis/go-redis/v9"

	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/tests/load"
)

// counters are connections of one's own to the servers, which tell how many others there are.
type counters struct {
	database *pgx.Conn
	pooler   *pgx.Conn // PgBouncer's console
	cache    *redis.Client
}

func openCounters(ctx context.Context, at *load.Site) (c *counters, err error) {
	c = &counters{}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if c.database, err = pgx.Connect(ctx, at.Local.Postgres.URL(devserver.Owner, "honeydue")); err != nil {
		return c, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	if c.pooler, err = pgx.Connect(ctx, at.Local.PgBouncer.URL(devserver.Owner, "pgbouncer")); err != nil {
		return c, fmt.Errorf("connect to PgBouncer: %w", err)
	}
	options, err := redis.ParseURL(at.Local.Redis.URL(0))
	if err != nil {
		return c, fmt.Errorf("read address of Redis: %w", err)
	}
	options.PoolSize = 1
	c.cache = redis.NewClient(options)
	return c, nil
}

func (c *counters) close() error {
	ctx, errs := context.Background(), []error{}
	for _, conn := range []*pgx.Conn{c.database, c.pooler} {
		if conn != nil {
			errs = append(errs, conn.Close(ctx))
		}
	}
	if c.cache != nil {
		errs = append(errs, c.cache.Close())
	}
	return errors.Join(errs...)
}

// sample counts connections. The functions' pools are what is connected to PgBouncer. Its own to PostgreSQL, under the role for which it
// opened them, come and go with how much is asked at a moment: it closes what nobody needed for ten seconds, and has four at most.
func (c *counters) sample(ctx context.Context) (all []sample, err error) {
	add := func(what string, counted map[string]int) {
		for of, n := range counted {
			all = append(all, sample{what: what, of: of, n: float64(n)})
		}
	}
	served, err := c.served(ctx)
	if err != nil {
		return nil, err
	}
	add(connections, served)
	pooled, err := c.pooled(ctx)
	if err != nil {
		return nil, err
	}
	add(clients, pooled)
	list, err := c.cache.ClientList(ctx).Result()
	if err != nil {
		return nil, fmt.Errorf("list clients of Redis: %w", err)
	}
	const own = 1
	add(cached, map[string]int{"all": strings.Count(strings.TrimSpace(list), "\n") + 1 - own})
	return all, nil
}

const countConnections = `
SELECT role.rolname, count(session.pid)::int FROM pg_roles role LEFT JOIN pg_stat_activity session ON session.usename = role.rolname AND session.datname = current_database()
WHERE role.rolname LIKE 'honeydue\_%' AND role.rolcanlogin GROUP BY role.rolname`

// served counts PostgreSQL's connections by role.
func (c *counters) served(ctx context.Context) (map[string]int, error) {
	rows, err := c.database.Query(ctx, countConnections)
	if err != nil {
		return nil, fmt.Errorf("count connections: %w", err)
	}
	counted := map[string]int{}
	var role string
	var n int
	if _, err = pgx.ForEachRow(rows, []any{&role, &n}, func() error { counted[nameOf(role)] = n; return nil }); err != nil {
		return nil, fmt.Errorf("count connections: %w", err)
	}
	return counted, nil
}

// pooled counts PgBouncer's clients by role.
func (c *counters) pooled(ctx context.Context) (map[string]int, error) {
	results, err := c.pooler.PgConn().Exec(ctx, "SHOW CLIENTS").ReadAll()
	if err != nil {
		return nil, fmt.Errorf("show clients: %w", err)
	}
	counted := map[string]int{}
	for _, name := range functions() {
		counted[name] = 0
	}
	for _, result := range results {
		user := slices.IndexFunc(result.FieldDescriptions, func(f pgconn.FieldDescription) bool { return f.Name == "user" })
		if user < 0 {
			return nil, errors.New("show clients: they have no user")
		}
		for _, row := range result.Rows {
			if role := string(row[user]); strings.HasPrefix(role, rolePrefix) {
				counted[nameOf(role)]++
			}
		}
	}
	return counted, nil
}

const rolePrefix = "honeydue_"

// nameOf is the function of a role.
func nameOf(role string) string { return strings.TrimPrefix(role, rolePrefix) }
