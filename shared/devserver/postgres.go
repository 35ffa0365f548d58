package devserver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Owner is the superuser of every cluster.
const Owner = "postgres"

// Postgres is a PostgreSQL server that trusts whoever connects from this machine's loopback address.
type Postgres struct {
	*Server
	durable bool
}

// StartPostgres starts PostgreSQL on the cluster in o.Dir, which it makes on first use: UTF8, C locale, UTC. It
// returns once a connection succeeds. An error is a *MissingError when PostgreSQL is not installed.
func StartPostgres(ctx context.Context, o Options) (*Postgres, error) {
	s, err := newServer(postgresProgram, o)
	if err != nil {
		return nil, err
	}
	p := &Postgres{Server: s, durable: o.Durable}
	settings := postgresSettings(o.Durable)
	rules := filepath.Join(s.folder, "pg_hba_network.conf")
	if o.Host != "" {
		settings["listen_addresses"], settings["hba_file"] = o.listen(","), rules
	}
	maps.Copy(settings, o.Settings)
	s.command = func(port int) ([]string, error) {
		if o.Host != "" {
			if err := s.as.writeFile(rules, o.rules("")); err != nil {
				return nil, err
			}
		}
		args := []string{"-D", s.folder, "-p", strconv.Itoa(port)}
		for _, name := range slices.Sorted(maps.Keys(settings)) {
			args = append(args, "-c", name+"="+settings[name])
		}
		return args, nil
	}
	s.probe = p.probe
	s.repair = func(ctx context.Context) error {
		if err := p.makeCluster(ctx); err != nil {
			return err
		}
		return p.dropStaleLock()
	}
	// Fast shutdown: whoever is connected is sent away.
	s.onStop = syscall.SIGINT
	// Immediate shutdown: the server kills its children even when they are paused.
	s.onDeath = syscall.SIGQUIT
	if err := s.start(ctx, o.Port); err != nil {
		return nil, err
	}
	return p, nil
}

func postgresSettings(durable bool) map[string]string {
	settings := map[string]string{
		"listen_addresses":        "127.0.0.1",
		"unix_socket_directories": "",
		"timezone":                "UTC",
		"log_timezone":            "UTC",
		"max_connections":         "200",
	}
	if !durable {
		maps.Copy(settings, map[string]string{
			"max_connections":  "300",
			"shared_buffers":   "32MB",
			"fsync":            "off",
			"full_page_writes": "off",
			"wal_level":        "minimal",
			"max_wal_senders":  "0",
			// It would visit hundreds of databases that live for a second.
			"autovacuum": "off",
		})
	}
	return settings
}

// probe asks the server on the port where its data is.
func (p *Postgres) probe(ctx context.Context, port, _ int) error {
	conn, err := pgx.Connect(ctx, address(port, Owner, Owner))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	var folder string
	if err := conn.QueryRow(ctx, "SHOW data_directory").Scan(&folder); err != nil {
		return err
	}
	if folder != p.folder {
		return errTaken
	}
	return nil
}

// URL returns the address of a database for a role, without a password.
func (p *Postgres) URL(role, database string) string { return address(p.port, role, database) }

// NetworkURL returns the address of a database for a role, as clients of Options.Network see it.
func (p *Postgres) NetworkURL(role, password, database string) string {
	return networkAddress(p.host, p.port, role, password, database)
}

// Exec runs SQL as the superuser in a database, on a connection of its own. Without args it may be several
// statements.
func (p *Postgres) Exec(ctx context.Context, database, sql string, args ...any) error {
	conn, err := pgx.Connect(ctx, p.URL(Owner, database))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, sql, args...)
	return err
}

// CreateDatabase makes a database, a copy of template unless that is empty. Whoever is connected to a template
// blocks it; it waits until they have left, or ctx ends.
func (p *Postgres) CreateDatabase(ctx context.Context, name, template string) error {
	sql := "CREATE DATABASE " + pgx.Identifier{name}.Sanitize()
	if template != "" {
		sql += " TEMPLATE " + pgx.Identifier{template}.Sanitize()
	}
	err := p.Exec(ctx, Owner, sql)
	var refused *pgconn.PgError
	for errors.As(err, &refused) && refused.Code == "55006" && wait(ctx, poll) == nil { // object_in_use
		err = p.Exec(ctx, Owner, sql)
	}
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

// DropDatabase removes a database, sending away whoever is connected. One that is not there is no error.
func (p *Postgres) DropDatabase(ctx context.Context, name string) error {
	if err := p.Exec(ctx, Owner, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"); err != nil {
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	return nil
}
