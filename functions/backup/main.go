// Command backup dumps the database, encrypted, to a bucket of its own, and restores such a dump into an empty one.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/run"
)

const usage = `usage: backup dump | backup list | backup restore <name>

dump     writes one dump, and beside it a list of what every table holds
list     prints the dumps, the newest first; exit code 1 when the newest whole one is older than BACKUP_FRESH
restore  fills an empty database from a dump, and compares every table with that list

environment:
  DATABASE_URL      the database, at its direct address, as the owner of the schema (dump, restore)
  S3_ENDPOINT, S3_REGION, S3_BUCKET, S3_ACCESS_KEY, S3_SECRET_KEY
                    the bucket for backups: not the one with photos
  BACKUP_RECIPIENT  whom dumps are encrypted for: an age recipient, age1… (dump)
  BACKUP_IDENTITY   file with the age identity that opens them (restore)
  BACKUP_FRESH      how old the newest may be (26h)

programs: pg_dump and pg_restore, of the server's version or later`

// config is what all of it needs; each command says what else it lacks.
type config struct {
	DatabaseURL string `envconfig:"DATABASE_URL"`
	Bucket      bucket.Config
	Recipient   string        `envconfig:"BACKUP_RECIPIENT"`
	Identity    string        `envconfig:"BACKUP_IDENTITY"`
	Fresh       time.Duration `envconfig:"BACKUP_FRESH" default:"26h"`
}

// transfer is what a request to the bucket may take that moves no content; ten times as long one that moves a dump.
const transfer = 3 * time.Minute

// errStale is no failure of the command.
var errStale = errors.New("the newest whole dump is too old")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	err := command(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "backup:", err)
		if errors.Is(err, errStale) {
			os.Exit(1)
		}
		os.Exit(2)
	}
}

func command(ctx context.Context, args []string, out io.Writer) error {
	known := map[string]int{"dump": 1, "list": 1, "restore": 2}
	if len(args) == 0 || known[args[0]] != len(args) {
		return errors.New(usage)
	}
	var cfg config
	if err := run.Read(&cfg); err != nil {
		return err
	}
	if cfg.Bucket.Timeout == 0 {
		cfg.Bucket.Timeout = transfer
	}
	store, err := bucket.Open(cfg.Bucket)
	if err != nil {
		return err
	}
	defer store.Close()
	switch args[0] {
	case "dump":
		return dump(ctx, cfg, store, out)
	case "restore":
		return restore(ctx, cfg, store, args[1], out)
	}
	return list(ctx, cfg, store, out)
}
