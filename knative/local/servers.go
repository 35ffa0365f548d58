package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/honeydue/backend/shared/devserver"
)

// database is the name of the one database.
const database = "honeydue"

// install puts the servers' Debian packages on this machine when some are missing and we may.
func install(ctx context.Context, log *slog.Logger) error {
	var packages []string
	for _, missing := range devserver.Missing() {
		packages = append(packages, missing.Package)
	}
	if len(packages) == 0 {
		return nil
	}
	slices.Sort(packages)
	packages = slices.Compact(packages)
	byHand := "apt-get install --yes --no-install-recommends " + strings.Join(packages, " ")
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("these packages are missing, install them (Debian: %s)", byHand)
	}
	var prefix []string
	if os.Geteuid() != 0 {
		if err := exec.CommandContext(ctx, "sudo", "--non-interactive", "true").Run(); err != nil {
			return fmt.Errorf("these packages are missing, and we are not root: sudo %s", byHand)
		}
		prefix = []string{"sudo", "--non-interactive"}
	}
	log.InfoContext(ctx, "installing", "packages", packages)
	for _, words := range [][]string{
		{"apt-get", "update"},
		append([]string{"apt-get", "install", "--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"}, packages...),
	} {
		words = slices.Concat(prefix, []string{"env", "DEBIAN_FRONTEND=noninteractive"}, words)
		if err := runStep(ctx, step{name: "installing", program: words[0], args: words[1:]}, log); err != nil {
			return fmt.Errorf("install packages: %w", err)
		}
	}
	return nil
}

// servers are the programs that functions keep their state in.
type servers struct {
	postgres  *devserver.Postgres
	pgbouncer *devserver.PgBouncer
	redis     *devserver.Redis
}

// startServers returns what it has started also when it returns an error.
func startServers(ctx context.Context, dir string, durable bool, log *slog.Logger) (*servers, error) {
	s := &servers{}
	if err := install(ctx, log); err != nil {
		return s, err
	}
	log.InfoContext(ctx, "starting servers", "folder", dir)
	o := devserver.Options{Dir: dir, Durable: durable}
	var err error
	if s.postgres, err = devserver.StartPostgres(ctx, o); err != nil {
		return s, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := createDatabase(ctx, s.postgres); err != nil {
		return s, err
	}
	if s.pgbouncer, err = devserver.StartPgBouncer(ctx, o, s.postgres); err != nil {
		return s, fmt.Errorf("start PgBouncer: %w", err)
	}
	if s.redis, err = devserver.StartRedis(ctx, o); err != nil {
		return s, fmt.Errorf("start Redis: %w", err)
	}
	return s, nil
}

// createDatabase makes the database unless an earlier run has.
func createDatabase(ctx context.Context, p *devserver.Postgres) error {
	const duplicateDatabase = "42P04"
	err := p.CreateDatabase(ctx, database, "")
	var coded interface{ SQLState() string }
	if errors.As(err, &coded) && coded.SQLState() == duplicateDatabase {
		return nil
	}
	if err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	return nil
}

func (s *servers) stop(ctx context.Context) error {
	var errs []error
	if s.pgbouncer != nil {
		errs = append(errs, s.pgbouncer.Stop(ctx))
	}
	if s.redis != nil {
		errs = append(errs, s.redis.Stop(ctx))
	}
	if s.postgres != nil {
		errs = append(errs, s.postgres.Stop(ctx))
	}
	return errors.Join(errs...)
}
