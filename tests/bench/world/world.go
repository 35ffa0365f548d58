// Package world runs what functions work with, for benchmarks of one function alone: PostgreSQL, durable and migrated, Redis, a
// broker that takes every event, and the functions' own programs.
package world

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/knative"
	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/tests/bench/built"
)

// Database is where everything is.
const Database = "honeydue"

// A World is the servers, and the programs that work with them.
type World struct {
	Dir      string // of the programs, the servers and what they write
	Postgres *devserver.Postgres
	Redis    *devserver.Redis
	DB       *pgx.Conn // the owner's

	sink      *httptest.Server
	manifests *knative.Manifests
}

// Open builds functions of these names as their images have them, starts the servers in a new folder, and migrates.
func Open(ctx context.Context, functions ...string) (w *World, err error) {
	w = &World{sink: httptest.NewServer(http.HandlerFunc(accept))}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	if w.manifests, err = knative.Read(); err != nil {
		return w, fmt.Errorf("read manifests: %w", err)
	}
	if w.Dir, err = os.MkdirTemp("", "honeydue-bench-"); err != nil {
		return w, fmt.Errorf("make folder: %w", err)
	}
	if err := os.Chmod(w.Dir, 0o755); err != nil {
		return w, fmt.Errorf("open folder: %w", err)
	}
	if err := built.Functions(ctx, w.Dir, append(functions, "migrate")...); err != nil {
		return w, err
	}
	options := devserver.Options{Dir: w.Dir, Durable: true}
	if w.Postgres, err = devserver.StartPostgres(ctx, options); err != nil {
		return w, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if w.Redis, err = devserver.StartRedis(ctx, options); err != nil {
		return w, fmt.Errorf("start Redis: %w", err)
	}
	if err := w.Postgres.CreateDatabase(ctx, Database, ""); err != nil {
		return w, err
	}
	owner := w.Postgres.URL(devserver.Owner, Database)
	migrate := exec.CommandContext(ctx, filepath.Join(w.Dir, "migrate"))
	migrate.Env = append(os.Environ(), "DATABASE_URL="+owner)
	if output, err := migrate.CombinedOutput(); err != nil {
		return w, fmt.Errorf("migrate: %w\n%s", err, output)
	}
	if w.DB, err = pgx.Connect(ctx, owner); err != nil {
		return w, fmt.Errorf("connect: %w", err)
	}
	return w, nil
}

// accept takes every event at once, as a broker does.
func accept(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusAccepted) }

// Close ends what was started and removes the folder.
func (w *World) Close() error {
	ctx := context.Background()
	var errs []error
	if w.DB != nil {
		errs = append(errs, w.DB.Close(ctx))
	}
	if w.Redis != nil {
		errs = append(errs, w.Redis.Stop(ctx))
	}
	if w.Postgres != nil {
		errs = append(errs, w.Postgres.Stop(ctx))
	}
	w.sink.Close()
	if w.Dir != "" {
		errs = append(errs, os.RemoveAll(w.Dir))
	}
	return errors.Join(errs...)
}

// Role is who the function of that name is in the database.
func Role(function string) string { return "honeydue_" + function }

// Plain is what a function's manifest tells it in so many words, such as how much memory it may take.
func Plain(m *knative.Manifests, function string) (env []string) {
	for _, f := range m.Functions {
		for _, e := range f.Env {
			if f.Name == function && e.ValueFrom == nil {
				env = append(env, e.Name+"="+e.Value)
			}
		}
	}
	return env
}

// env is what a function is told: what its manifest says so, and where everything is here.
func (w *World) env(function string) []string {
	return append(Plain(w.manifests, function),
		"K_SINK="+w.sink.URL,
		"DATABASE_URL="+w.Postgres.URL(Role(function), Database), "REDIS_URL="+w.Redis.URL(0),
	)
}
