package main

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib" // goose speaks database/sql
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// functions with a database role, in the order in which their roles are made.
var functions = [...]string{"auth", "residences", "tasks", "notifications", "sweeper", "site", "uploads", "media", "admin"}

// migrate makes the roles and applies the migrations that url's database lacks. Run twice, it changes nothing.
func migrate(ctx context.Context, log *slog.Logger, url string) error {
	db, err := open(url)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	turn, err := takeTurn(ctx, db)
	if err != nil {
		return fmt.Errorf("wait for another migration: %w", err)
	}
	defer func() { _ = turn.Close() }()
	passwords, err := readPasswords(os.Getenv)
	if err != nil {
		return err
	}
	for _, function := range functions {
		role := rolePrefix + function
		if err := ensureRole(ctx, db, role, "NOINHERIT"); err != nil {
			return fmt.Errorf("role of %s: %w", function, err)
		}
		if err := ensureSecond(ctx, db, role, passwords); err != nil {
			return fmt.Errorf("second login of %s: %w", function, err)
		}
	}
	// Each once: functions sign in while this runs.
	for login, password := range passwords {
		if err := setPassword(ctx, db, login, password); err != nil {
			return err
		}
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("embedded migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	applied, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("apply migrations: %w", err)
	}
	version, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	log.InfoContext(ctx, "schema is up to date", "version", version, "applied", len(applied))
	return nil
}

// Whatever comes after a statement that waits for a table's lock waits behind it, so it must not wait for long: a Job that
// fails is tried again, people who wait are an outage.
const waitBriefly = `SET lock_timeout = '5s'`

func open(url string) (*sql.DB, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("DATABASE_URL is not a PostgreSQL address")
	}
	return stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, waitBriefly)
		return err
	})), nil
}

// takeTurn waits until no other migration of this database runs. The lock is the returned session's and ends with it.
func takeTurn(ctx context.Context, db *sql.DB) (*sql.Conn, error) {
	session, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	for _, statement := range []string{`SET lock_timeout = 0`, `SELECT pg_advisory_lock(hashtext('honeydue migrate'))`} {
		if _, err := session.ExecContext(ctx, statement); err != nil {
			return nil, errors.Join(err, session.Close())
		}
	}
	return session, nil
}

// A role's time-outs end whatever a function left behind: a transaction must be over before the cache's marker of
// 10 s is, and nobody waits for a lock longer than for an answer.
const roleSettings = `
ALTER ROLE %[1]s SET statement_timeout = '5s';
ALTER ROLE %[1]s SET lock_timeout = '4s';
ALTER ROLE %[1]s SET idle_in_transaction_session_timeout = '5s';`

// rolePrefix begins the name of each function's role.
const rolePrefix = "honeydue_"

// ensureRole makes a role that may sign in, with these attributes, if it is not there, and sets its time-outs.
func ensureRole(ctx context.Context, db *sql.DB, role, attributes string) error {
	var exists bool
	if err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1)`, role).Scan(&exists); err != nil {
		return fmt.Errorf("look up: %w", err)
	}
	if !exists {
		if _, err := db.ExecContext(ctx, `CREATE ROLE `+role+` LOGIN `+attributes); err != nil {
			return fmt.Errorf("create: %w", err)
		}
	}
	if _, err := db.ExecContext(ctx, fmt.Sprintf(roleSettings, role)); err != nil {
		return fmt.Errorf("set time-outs: %w", err)
	}
	return nil
}

func setPassword(ctx context.Context, db *sql.DB, role, password string) error {
	// ALTER ROLE takes no parameters; quote_literal makes the password safe to write into it.
	var statement string
	if err := db.QueryRowContext(ctx, `SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)`, role, password).Scan(&statement); err != nil {
		return fmt.Errorf("quote password: %w", err)
	}
	if _, err := db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("set password of %s", role)
	}
	return nil
}
