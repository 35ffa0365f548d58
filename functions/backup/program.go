package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// program runs one of PostgreSQL's own against the database. It reads the address from its environment: arguments can be read by
// whoever lists processes.
func program(ctx context.Context, config *pgx.ConnConfig, out io.Writer, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // pg_dump and pg_restore
	cmd.Env = append(os.Environ(), environment(config)...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = out, &said
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%s is not installed: it comes with PostgreSQL's client", name)
	case err != nil:
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(said.String()))
	}
	return nil
}

// asked are settings of an address that libpq has variables for.
var asked = map[string]string{"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "channel_binding": "PGCHANNELBINDING", "options": "PGOPTIONS"}

// environment is the address as libpq reads it: with the very settings that it has, or libpq would verify otherwise than pgx does.
func environment(config *pgx.ConnConfig) []string {
	env := []string{
		"PGHOST=" + config.Host, "PGPORT=" + strconv.Itoa(int(config.Port)), "PGUSER=" + config.User, "PGPASSWORD=" + config.Password, "PGDATABASE=" + config.Database,
	}
	u, err := url.Parse(config.ConnString())
	if err != nil {
		return env
	}
	for name, variable := range asked {
		if value := u.Query().Get(name); value != "" {
			env = append(env, variable+"="+value)
		}
	}
	return env
}
