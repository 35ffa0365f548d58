// Package devserver runs private PostgreSQL, PgBouncer, Redis and S3 servers on the loopback address, for tests
// and for the local runner. For a cluster on this machine they listen on one more address, with passwords.
//
// Each server is the real program, a child of this process. It dies with this process, even when that is
// killed (on Linux), and two sets in different folders never meet. PostgreSQL and PgBouncer refuse to run as
// root, so every server that root starts runs as the user postgres, or else nobody.
package devserver

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// Options say where a server lives and how careful it is.
type Options struct {
	// Dir is the folder of the server's data, log and lock, made when it is missing. One folder may hold one
	// server of each kind. The user that the server runs as must be able to pass through it and its parents.
	Dir string

	// Port is the TCP port on 127.0.0.1; zero takes a free one and keeps it for later restarts.
	Port int

	// Host is a further IP address of this machine to listen on, at the same port; empty means loopback alone.
	Host string

	// Network is whom PostgreSQL and PgBouncer let in by password (SCRAM) besides 127.0.0.1, which needs none, such
	// as 10.42.0.0/16; nobody when it is empty. It goes with Host. Redis and S3 have no such rule.
	Network string

	// Password is what Redis asks every client for, on every address; empty, which Host does not allow, asks for none.
	// The passwords of PostgreSQL, and of PgBouncer before it, are those of its roles; S3 has keys of its own.
	Password string

	// Durable keeps data through a loss of power. Without it a server is faster and keeps its data through a
	// clean stop at most, Redis not even then.
	Durable bool

	// Settings are further settings of the server, by the names that its configuration file uses, or its options where
	// it has none. They win over our own.
	Settings map[string]string
}

// MissingError says that a program is not installed, and what would install it.
type MissingError struct {
	Program string // the name of the executable
	Package string // the Debian package that holds it
}

// Error names the program and its package.
func (e *MissingError) Error() string {
	return fmt.Sprintf("program %s not found: install the package %s", e.Program, e.Package)
}

// Missing returns an error for each program that is not installed and that one of the servers needs.
func Missing() []*MissingError {
	var missing []*MissingError
	for _, p := range []program{initdbProgram, postgresProgram, pgbouncerProgram, redisProgram} {
		if _, err := p.find(installed); err != nil {
			missing = append(missing, &MissingError{Program: p.name, Package: p.debian})
		}
	}
	return missing
}

// A program is an executable and where it comes from.
type program struct {
	name    string
	debian  string // Debian package
	pattern string // folders besides PATH that may hold it, as a glob below the root
}

const (
	postgresBin = "usr/lib/postgresql/*/bin"
	installed   = "/"
)

var (
	initdbProgram    = program{"initdb", "postgresql", postgresBin}
	postgresProgram  = program{"postgres", "postgresql", postgresBin}
	pgbouncerProgram = program{"pgbouncer", "pgbouncer", "usr/sbin"}
	redisProgram     = program{"redis-server", "redis-server", "usr/bin"}
)

// find returns the program's path, of several versions the newest. It returns a *MissingError when there is
// none below root, nor in PATH.
func (p program) find(root string) (string, error) {
	paths, err := filepath.Glob(filepath.Join(root, p.pattern, p.name))
	if err != nil {
		return "", fmt.Errorf("look for %s: %w", p.name, err)
	}
	slices.SortFunc(paths, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	path, err := exec.LookPath(p.name)
	if err != nil {
		return "", &MissingError{Program: p.name, Package: p.debian}
	}
	return filepath.Abs(path)
}

// version reads the 15 of …/15/bin/postgres; a path without one is version 0.
func version(path string) float64 {
	v, err := strconv.ParseFloat(filepath.Base(filepath.Dir(filepath.Dir(path))), 64)
	if err != nil {
		return 0
	}
	return v
}
