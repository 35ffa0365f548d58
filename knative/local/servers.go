package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/honeydue/backend/shared/devserver"
)

// database is the name of the one database, and bucket that of the one bucket.
const (
	database = "honeydue"
	bucket   = "honeydue"
)

// servers are the programs that functions keep their state in.
type servers struct {
	postgres  *devserver.Postgres
	pgbouncer *devserver.PgBouncer
	redis     *devserver.Redis
	s3        *devserver.S3
}

// startServers returns what it has started also when it returns an error.
func startServers(ctx context.Context, dir string, durable bool, log *slog.Logger) (*servers, error) {
	s := &servers{}
	if err := installMissing(ctx, log); err != nil {
		return s, err
	}
	dir, err := serversDir(dir)
	if err != nil {
		return s, err
	}
	log.InfoContext(ctx, "starting servers", "folder", dir)
	o := devserver.Options{Dir: dir, Durable: durable}
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
	if err := buildS3(ctx, log); err != nil {
		return s, err
	}
	if s.s3, err = devserver.StartS3(ctx, o); err != nil {
		return s, fmt.Errorf("start S3: %w", err)
	}
	return s, s.s3.CreateBucket(ctx, bucket)
}

// buildS3 makes the S3 server's program unless an earlier run has.
func buildS3(ctx context.Context, log *slog.Logger) error {
	defer time.AfterFunc(time.Second, func() {
		log.InfoContext(ctx, "building the S3 server, which no package has; the first time takes minutes")
	}).Stop()
	if _, err := devserver.BuildS3(ctx); err != nil {
		return fmt.Errorf("build the S3 server: %w", err)
	}
	return nil
}

// serversDir returns the folder of the servers' data. That is dir, but where root's servers cannot reach it, as in
// root's home, it is one that they can, with a link in dir that leads there.
func serversDir(dir string) (string, error) {
	link := filepath.Join(dir, "servers")
	elsewhere, err := os.Readlink(link)
	switch {
	case err == nil:
		return elsewhere, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("find folder of servers: %w", err)
	case devserver.CheckDir(dir) == nil:
		return dir, nil
	}
	// Unlike /tmp it outlives a restart of the machine.
	if elsewhere, err = os.MkdirTemp("/var/tmp", "honeydue-"); err != nil {
		return "", fmt.Errorf("make folder of servers: %w", err)
	}
	if err := errors.Join(os.Chmod(elsewhere, 0o755), os.Symlink(elsewhere, link)); err != nil {
		return "", fmt.Errorf("make folder of servers: %w", err)
	}
	return elsewhere, nil
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
	if s.s3 != nil {
		errs = append(errs, s.s3.Stop(ctx))
	}
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
