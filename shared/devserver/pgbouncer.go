package devserver

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// PgBouncer is a PgBouncer server in transaction mode: what belongs to a session, such as a prepared statement,
// an advisory lock or a SET, does not survive the end of a transaction.
type PgBouncer struct {
	*Server
	config string
}

// StartPgBouncer starts PgBouncer in front of p, for any database there and any role that p knows, also one
// created later; from o.Network any but the owner, with the password that p knows. It returns once a connection
// through it succeeds. An error is a *MissingError when PgBouncer is not installed.
func StartPgBouncer(ctx context.Context, o Options, p *Postgres) (*PgBouncer, error) {
	s, err := newServer(pgbouncerProgram, o)
	if err != nil {
		return nil, err
	}
	b := &PgBouncer{Server: s, config: filepath.Join(s.folder, "pgbouncer.ini")}
	s.command = func(port int) ([]string, error) {
		if err := b.configure(o, port, p.port); err != nil {
			return nil, err
		}
		return []string{b.config}, nil
	}
	s.probe = b.probe
	if err := s.start(ctx, o.Port); err != nil {
		return nil, err
	}
	return b, nil
}

// configure writes PgBouncer's files for listening on port in front of a PostgreSQL on another.
func (b *PgBouncer) configure(o Options, port, postgres int) error {
	users, rules := filepath.Join(b.folder, "users.txt"), filepath.Join(b.folder, "hba.conf")
	files := map[string]string{users: fmt.Sprintf("%q \"\"\n", Owner)}
	settings := map[string]string{
		"listen_addr":     o.listen(","),
		"listen_port":     strconv.Itoa(port),
		"unix_socket_dir": "",
		"pool_mode":       "transaction",
		// Trusted, but each as the role it says it is: PgBouncer asks PostgreSQL whether the role exists.
		"auth_type":                 "trust",
		"auth_file":                 users,
		"auth_user":                 Owner,
		"admin_users":               Owner,
		"ignore_startup_parameters": "extra_float_digits",
		"max_client_conn":           "1000",
		"default_pool_size":         "4",
		"server_idle_timeout":       "10",
		"server_tls_sslmode":        "disable",
		// Seconds until it tries again after a failed connection, 15 by its default. Even so the first client
		// after PostgreSQL is back may be refused, with SQLSTATE 08P01.
		"server_login_retry": "0",
	}
	if o.Host != "" {
		settings["auth_type"], settings["auth_hba_file"] = "hba", rules
		// The owner has no password here and runs the console.
		files[rules] = o.rules(Owner)
	}
	maps.Copy(settings, o.Settings)
	var ini strings.Builder
	fmt.Fprintf(&ini, "[databases]\n* = host=127.0.0.1 port=%d\n\n[pgbouncer]\n", postgres)
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&ini, "%s = %s\n", name, settings[name])
	}
	files[b.config] = ini.String()
	for path, text := range files {
		if err := b.as.writeFile(path, text); err != nil {
			return err
		}
	}
	return nil
}

// probe asks the server on the port for its configuration file, then PostgreSQL behind it for an answer.
func (b *PgBouncer) probe(ctx context.Context, port, _ int) error {
	console, err := pgx.Connect(ctx, address(port, Owner, "pgbouncer"))
	if err != nil {
		return err
	}
	defer func() { _ = console.Close(ctx) }()
	results, err := console.PgConn().Exec(ctx, "SHOW CONFIG").ReadAll()
	if err != nil {
		return err
	}
	ours := false
	for _, row := range results[0].Rows {
		ours = ours || string(row[0]) == "conffile" && string(row[1]) == b.config
	}
	if !ours {
		return errTaken
	}
	through, err := pgx.Connect(ctx, address(port, Owner, Owner))
	if err != nil {
		return err
	}
	defer func() { _ = through.Close(ctx) }()
	return through.PgConn().Exec(ctx, "SELECT 1").Close()
}

// URL returns the address of a database for a role, without a password.
func (b *PgBouncer) URL(role, database string) string { return address(b.port, role, database) }

// NetworkURL returns the address of a database for a role, as clients of Options.Network see it.
func (b *PgBouncer) NetworkURL(role, password, database string) string {
	return networkAddress(b.host, b.port, role, password, database)
}
