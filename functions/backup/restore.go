package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/bucket"
)

// restore fills an empty database. What it finds wrong in the end it says, and leaves the database as it is, to be looked at.
func restore(ctx context.Context, cfg config, store *bucket.Bucket, name string, out io.Writer) error {
	if _, err := time.Parse(nameStyle, name); err != nil {
		return fmt.Errorf("there is no dump %q: names are like %s; backup list prints them", name, nameStyle)
	}
	identities, err := readIdentity(cfg.Identity)
	if err != nil {
		return err
	}
	conn, config, err := connect(ctx, cfg.DatabaseURL)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	began := time.Now()
	had, err := readInventory(ctx, store, name)
	if err != nil {
		return err
	}
	file, err := fetch(ctx, store, name, identities)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close(); _ = os.Remove(file.Name()) }() //nolint:gosec // a temporary file of ours
	if err := prepare(ctx, conn, had); err != nil {
		return err
	}
	if err := fill(ctx, config, file.Name()); err != nil {
		return err
	}
	var has inventory
	if err := pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		has, err = takeInventory(ctx, tx)
		return err
	}); err != nil {
		return err
	}
	if different := had.differences(has); len(different) > 0 {
		return fmt.Errorf("what was restored is not what was dumped:\n  %s", strings.Join(different, "\n  "))
	}
	_, err = fmt.Fprintf(out, "%s: %d tables, %d rows and %d definitions, as they were; %s. Run the migrate Job next: it gives the roles their passwords\n",
		name, len(has.Tables), has.rows(), len(had.Definitions), time.Since(began).Round(time.Millisecond))
	return err
}

// fill restores what a dump holds but for default privileges: those are the provider's own, for roles that another server has not, and our
// schema has none.
func fill(ctx context.Context, config *pgx.ConnConfig, path string) error {
	var contents bytes.Buffer
	if err := program(ctx, config, &contents, "pg_restore", "--list", path); err != nil {
		return err
	}
	file, err := os.CreateTemp("", "contents-*")
	if err != nil {
		return fmt.Errorf("make file: %w", err)
	}
	defer func() { _ = file.Close(); _ = os.Remove(file.Name()) }()
	for line := range strings.Lines(contents.String()) {
		if strings.Contains(line, " DEFAULT ACL ") {
			continue
		}
		if _, err := file.WriteString(line); err != nil {
			return fmt.Errorf("write contents: %w", err)
		}
	}
	return program(ctx, config, io.Discard, "pg_restore", "--no-owner", "--exit-on-error", "--jobs=2", "--use-list="+file.Name(), "--dbname="+config.Database, path)
}

func readIdentity(path string) ([]age.Identity, error) {
	if path == "" {
		return nil, errors.New("BACKUP_IDENTITY is not set: it names the file with the age identity that opens dumps")
	}
	file, err := os.Open(path) //nolint:gosec // the operator says which
	if err != nil {
		return nil, fmt.Errorf("read BACKUP_IDENTITY: %w", err)
	}
	defer func() { _ = file.Close() }()
	identities, err := age.ParseIdentities(file)
	if err != nil {
		return nil, errors.New("the file that BACKUP_IDENTITY names holds no age identity")
	}
	return identities, nil
}

func readInventory(ctx context.Context, store *bucket.Bucket, name string) (had inventory, err error) {
	content, _, err := store.Get(ctx, folder+name+listSuffix)
	if errors.Is(err, bucket.ErrNotFound) {
		return had, fmt.Errorf("there is no whole dump %s: backup list prints those that there are", name)
	}
	if err != nil {
		return had, err
	}
	defer func() { _ = content.Close() }()
	if err := json.NewDecoder(content).Decode(&had); err != nil {
		return had, fmt.Errorf("decode the list of %s: %w", name, err)
	}
	return had, nil
}

// prepare refuses a database that holds anything, and makes the roles that grants name.
func prepare(ctx context.Context, conn *pgx.Conn, had inventory) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		tables, err := column(ctx, tx, selectTables)
		if err != nil {
			return fmt.Errorf("list tables: %w", err)
		}
		if len(tables) > 0 {
			return fmt.Errorf("the database has %d tables: restore into an empty one", len(tables))
		}
		roles, err := column(ctx, tx, selectRoles)
		if err != nil {
			return fmt.Errorf("list roles: %w", err)
		}
		there := map[string]bool{}
		for _, role := range roles {
			there[role] = true
		}
		for _, role := range had.Roles {
			if there[role] {
				continue
			}
			if _, err := tx.Exec(ctx, `CREATE ROLE `+pgx.Identifier{role}.Sanitize()+` LOGIN NOINHERIT`); err != nil {
				return fmt.Errorf("create role %s: %w", role, err)
			}
		}
		return nil
	})
}

// fetch downloads a dump and opens it, into a file that the caller removes.
func fetch(ctx context.Context, store *bucket.Bucket, name string, identities []age.Identity) (*os.File, error) {
	content, _, err := store.Get(ctx, folder+name+dumpSuffix)
	if err != nil {
		return nil, err
	}
	defer func() { _ = content.Close() }()
	opened, err := age.Decrypt(content, identities...)
	if err != nil {
		return nil, fmt.Errorf("open dump %s: %w: was it encrypted for another identity?", name, err)
	}
	file, err := os.CreateTemp("", "restore-*")
	if err != nil {
		return nil, fmt.Errorf("make file: %w", err)
	}
	if _, err := io.Copy(file, opened); err != nil {
		return nil, errors.Join(fmt.Errorf("open dump %s: %w", name, err), file.Close(), os.Remove(file.Name()))
	}
	return file, nil
}
