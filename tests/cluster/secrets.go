package cluster

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// createSecrets makes the Secrets as an operator does, with passwords that nobody has seen.
func (c *Cluster) createSecrets(ctx context.Context) error {
	password := rand.Text()
	if err := c.Postgres.Exec(ctx, Database, fmt.Sprintf(
		`CREATE ROLE %[1]s LOGIN CREATEROLE PASSWORD '%[2]s'; ALTER DATABASE %[3]s OWNER TO %[1]s; ALTER SCHEMA public OWNER TO %[1]s`,
		owner, password, Database)); err != nil {
		return fmt.Errorf("create owner of the schema: %w", err)
	}
	secrets := map[string]string{
		"honeydue-migrate/DATABASE_URL": c.Postgres.NetworkURL(owner, password, Database),
		"honeydue-redis/REDIS_URL":      c.Redis.NetworkURL(0),
		"honeydue-s3/S3_ACCESS_KEY":     c.S3.AccessKey(),
		"honeydue-s3/S3_SECRET_KEY":     c.S3.SecretKey(),
		"honeydue-admin/ADMIN_KEY":      hex.EncodeToString([]byte(rand.Text() + rand.Text())[:32]),
		"honeydue-codes/CODE_KEY":       rand.Text() + rand.Text(),
		"honeydue-smtp/SMTP_URL":        c.Mailbox.URL() + "?tls=none",
	}
	for name, value := range c.Pushes.Environment() {
		if !strings.HasSuffix(name, "_URL") { // those are the overlay's settings
			secrets["honeydue-push/"+name] = value
		}
	}
	for _, f := range c.Manifests.Functions {
		password := rand.Text()
		secrets["honeydue-database-roles/"+strings.ToUpper(f.Name)+"_DATABASE_PASSWORD"] = password
		secrets["honeydue-"+f.Name+"/DATABASE_URL"] = c.PgBouncer.NetworkURL("honeydue_"+f.Name, password, Database)
	}
	var lines strings.Builder
	for _, key := range slices.Sorted(maps.Keys(secrets)) {
		fmt.Fprintf(&lines, "%s=%s\n", key, secrets[key])
	}
	if err := os.WriteFile(c.secretsFile(), []byte(lines.String()), 0o600); err != nil {
		return fmt.Errorf("write secrets: %w", err)
	}
	return c.Secrets(ctx)
}

func (c *Cluster) secretsFile() string { return filepath.Join(c.dir, "secrets.env") }

// Secrets makes the Secrets of the file that the operator keeps; again, as somebody who changed a line of it.
func (c *Cluster) Secrets(ctx context.Context) error {
	_, err := c.Make(ctx, "secrets", "OVERLAY=cluster", "ENV_FILE="+c.secretsFile())
	return err
}
