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

	"go.opentelemetry.io/otel/attribute"

	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/run"
	"github.com/honeydue/backend/shared/telemetry"
)

const usage = `usage: backup dump | backup list | backup restore <name> | backup watch database|etcd | backup certificates <name>=<file>...

dump     writes one dump, and beside it a list of what every table holds
list     prints the dumps, the newest first; exit code 1 when the newest whole one is older than BACKUP_FRESH
restore  fills an empty database from a dump, and compares every table with that list
watch    sends, with the metrics, when the last whole dump, or the last snapshot of etcd, was made
certificates
         sends, with the metrics, when the certificates in these files end; it needs no bucket

environment:
  DATABASE_URL      the database, at its direct address, as the owner of the schema (dump, restore)
  S3_ENDPOINT, S3_REGION, S3_BUCKET, S3_ACCESS_KEY, S3_SECRET_KEY
                    the bucket for backups: not the one with photos; to watch etcd, the one with its snapshots
  BACKUP_RECIPIENT  whom dumps are encrypted for: an age recipient, age1… (dump)
  BACKUP_IDENTITY   file with the age identity that opens them (restore)
  BACKUP_FRESH      how old the newest may be (26h)
  BACKUP_SNAPSHOTS  how the keys of etcd's snapshots begin, such as etcd/ (watch etcd)
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT
                    where metrics are sent (watch, certificates)

programs: pg_dump and pg_restore, of the server's version or later`

// config is what all of it needs; each command says what else it lacks.
type config struct {
	DatabaseURL string `envconfig:"DATABASE_URL"`
	Bucket      bucket.Config
	Recipient   string        `envconfig:"BACKUP_RECIPIENT"`
	Identity    string        `envconfig:"BACKUP_IDENTITY"`
	Fresh       time.Duration `envconfig:"BACKUP_FRESH" default:"26h"`
	Snapshots   string        `envconfig:"BACKUP_SNAPSHOTS"`
	Telemetry   telemetry.Config
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
	if len(args) > 1 && args[0] == "certificates" {
		var cfg telemetry.Config
		if err := run.Read(&cfg); err != nil {
			return err
		}
		return sending(ctx, cfg, out, func() error { return certificates(ctx, args[1:], out) })
	}
	known := map[string]int{"dump": 1, "list": 1, "restore": 2, "watch": 2}
	if len(args) == 0 || known[args[0]] != len(args) || args[0] == "watch" && watched[args[1]] == nil {
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
	case "watch":
		return sending(ctx, cfg.Telemetry, out, func() error {
			at, err := watched[args[1]](ctx, cfg, store)
			if err != nil {
				return err
			}
			return note(ctx, out, lastBackup, attribute.String("kind", args[1]), at)
		})
	}
	return list(ctx, cfg, store, out)
}
