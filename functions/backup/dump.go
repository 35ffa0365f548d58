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

// Names of a dump: when it was begun, and what stands there. The list is written last: a dump without one is not whole.
const (
	folder     = "database/"
	dumpSuffix = ".dump.age"
	listSuffix = ".json"
	nameStyle  = "2006-01-02T150405Z"
)

// dump writes one dump of a single moment, and what every table held then.
func dump(ctx context.Context, cfg config, store *bucket.Bucket, out io.Writer) error {
	recipient, err := age.ParseX25519Recipient(cfg.Recipient)
	if err != nil {
		return errors.New("BACKUP_RECIPIENT is not an age recipient, such as age-keygen prints (age1…)")
	}
	conn, config, err := connect(ctx, cfg.DatabaseURL)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	began := time.Now().UTC()
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	var snapshot string
	if err := tx.QueryRow(ctx, `SELECT pg_export_snapshot()`).Scan(&snapshot); err != nil {
		return fmt.Errorf("export snapshot: %w", err)
	}
	held, err := takeInventory(ctx, tx)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp("", "backup-*")
	if err != nil {
		return fmt.Errorf("make file: %w", err)
	}
	defer func() { _ = file.Close(); _ = os.Remove(file.Name()) }()
	sealed, err := age.Encrypt(file, recipient)
	if err != nil {
		return fmt.Errorf("encrypt dump: %w", err)
	}
	if err := program(ctx, config, sealed, "pg_dump", "--format=custom", "--no-owner", "--snapshot="+snapshot); err != nil {
		return err
	}
	if err := sealed.Close(); err != nil {
		return fmt.Errorf("encrypt dump: %w", err)
	}
	size, err := file.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("read dump: %w", err)
	}
	name := began.Format(nameStyle)
	if err := store.Put(ctx, folder+name+dumpSuffix, "application/octet-stream", file, size); err != nil {
		return err
	}
	text, err := json.MarshalIndent(held, "", "  ")
	if err != nil {
		return fmt.Errorf("encode list: %w", err)
	}
	if err := store.Put(ctx, folder+name+listSuffix, "application/json", bytes.NewReader(text), int64(len(text))); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %d tables, %d rows, %.1f MiB, %s\n", name, len(held.Tables), held.rows(), float64(size)/(1<<20), time.Since(began).Round(time.Millisecond))
	return err
}

// connect opens the one connection that a command needs. Its error does not show the address.
func connect(ctx context.Context, url string) (*pgx.Conn, *pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil || !strings.HasPrefix(url, "postgres://") && !strings.HasPrefix(url, "postgresql://") {
		return nil, nil, errors.New("DATABASE_URL is not a PostgreSQL address (postgres://…)")
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, nil, fmt.Errorf("connect to the database: %w", err)
	}
	return conn, config, nil
}
