package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/honeydue/backend/knative/local/mailbox"
	"github.com/honeydue/backend/shared/devserver"
)

// Where the functions keep what they know. The schema's owner makes roles, as on a hosted PostgreSQL, and is no superuser.
const (
	Database = "honeydue"
	owner    = "honeydue_owner"
	pods     = "10.42.0.0/16"
)

// startServers starts what pods reach at the environment's host, on free ports but for S3 and pushes. This machine reaches the same
// servers on loopback, the databases without a password.
func (c *Cluster) startServers(ctx context.Context) error {
	if err := errors.Join(os.RemoveAll(c.dir), os.MkdirAll(c.dir, 0o755)); err != nil {
		return fmt.Errorf("make folder of servers: %w", err)
	}
	host := c.Environment.Host.String()
	o := devserver.Options{Dir: c.dir, Host: host, Network: pods}
	var err error
	if c.Postgres, err = devserver.StartPostgres(ctx, o); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := c.Postgres.CreateDatabase(ctx, Database, ""); err != nil {
		return err
	}
	if c.PgBouncer, err = devserver.StartPgBouncer(ctx, o, c.Postgres); err != nil {
		return fmt.Errorf("start PgBouncer: %w", err)
	}
	o.Password, o.Network = rand.Text(), ""
	if c.Redis, err = devserver.StartRedis(ctx, o); err != nil {
		return fmt.Errorf("start Redis: %w", err)
	}
	o.Password = ""
	if err := c.startS3(ctx, o); err != nil {
		return err
	}
	if c.Mailbox, err = mailbox.Open(filepath.Join(c.dir, "mail"), c.slog()); err != nil {
		return fmt.Errorf("open mailbox: %w", err)
	}
	c.Mailbox.ListenOn(net.JoinHostPort(host, "0"))
	if err := c.Mailbox.Start(); err != nil {
		return fmt.Errorf("start mailbox: %w", err)
	}
	return c.startPushes(host)
}

func (c *Cluster) stopServers(ctx context.Context) error {
	var errs []error
	if c.Mailbox != nil {
		c.Mailbox.Stop()
	}
	if c.Pushes != nil {
		c.Pushes.Stop()
	}
	if c.S3 != nil {
		errs = append(errs, c.S3.Stop(ctx))
	}
	if c.PgBouncer != nil {
		errs = append(errs, c.PgBouncer.Stop(ctx))
	}
	if c.Redis != nil {
		errs = append(errs, c.Redis.Stop(ctx))
	}
	if c.Postgres != nil {
		errs = append(errs, c.Postgres.Stop(ctx))
	}
	return errors.Join(errs...)
}
