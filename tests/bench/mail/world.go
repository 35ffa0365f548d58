package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/jackc/pgx/v5"
	corev1 "k8s.io/api/core/v1"

	"github.com/honeydue/backend/knative"
	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/shared/devserver/push"
)

// A world is the servers that mails need, in one folder.
type world struct {
	dir      string
	postgres *devserver.Postgres
	redis    *devserver.Redis
	box      *mailbox
	broker   *broker
	pushes   *push.Double
	function knative.Function // as its manifest has it
}

func makeWorld(ctx context.Context, dir string) (w *world, err error) {
	w = &world{dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	manifests, err := knative.Read()
	if err != nil {
		return w, fmt.Errorf("read manifests: %w", err)
	}
	i := slices.IndexFunc(manifests.Functions, func(f knative.Function) bool { return f.Name == functionName })
	if i < 0 {
		return w, errors.New("no manifest of notifications")
	}
	w.function = manifests.Functions[i]
	w.broker = openBroker(w.function.Concurrency)
	if w.box, err = openMailbox(ctx); err != nil {
		return w, err
	}
	if w.pushes, err = openPushes(); err != nil {
		return w, err
	}
	options := devserver.Options{Dir: dir, Durable: true}
	if w.postgres, err = devserver.StartPostgres(ctx, options); err != nil {
		return w, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if w.redis, err = devserver.StartRedis(ctx, options); err != nil {
		return w, fmt.Errorf("start Redis: %w", err)
	}
	return w, nil
}

// close ends what was started.
func (w *world) close() error {
	ctx := context.Background()
	var errs []error
	if w.redis != nil {
		errs = append(errs, w.redis.Stop(ctx))
	}
	if w.postgres != nil {
		errs = append(errs, w.postgres.Stop(ctx))
	}
	if w.box != nil {
		errs = append(errs, w.box.close())
	}
	if w.pushes != nil {
		w.pushes.Stop()
	}
	if w.broker != nil {
		w.broker.close()
	}
	return errors.Join(errs...)
}

// database makes a database with honeyDue's schema and returns the owner's connection to it.
func (w *world) database(ctx context.Context, name string) (*pgx.Conn, error) {
	if err := w.postgres.CreateDatabase(ctx, name, ""); err != nil {
		return nil, err
	}
	owner := w.postgres.URL(devserver.Owner, name)
	migrate := exec.CommandContext(ctx, filepath.Join(w.dir, "migrate"))
	migrate.Env = append(os.Environ(), "DATABASE_URL="+owner)
	if output, err := migrate.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("migrate: %w\n%s", err, output)
	}
	db, err := pgx.Connect(ctx, owner)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return db, nil
}

// Exec modes of the function: behind a pooler it keeps nothing between statements, on connections of its own PostgreSQL keeps what it
// has parsed and planned, as it does for river.
const (
	behindPooler = "exec"
	ownSessions  = "cache_statement"
)

// start starts the function on a database, with the environment of its manifest, and has the broker post to it.
func (w *world) start(ctx context.Context, database, execMode string) (*process, error) {
	env, err := w.environment(database, execMode)
	if err != nil {
		return nil, err
	}
	p, err := startFunction(ctx, w.dir, functionName, env)
	if err != nil {
		return nil, err
	}
	w.broker.serve(p.url)
	return p, nil
}

// environment fills in what the manifest says: what it refers to is here under the names of the variables. Whatever the manifest
// leaves to a default, pushes go nowhere but to the doubles.
func (w *world) environment(database, execMode string) ([]string, error) {
	here := w.pushes.Environment()
	env := []string{"LISTEN_HOST=127.0.0.1"}
	for name, value := range here {
		env = append(env, name+"="+value)
	}
	maps.Copy(here, map[string]string{
		"DATABASE_URL": w.postgres.URL("honeydue_"+functionName, database), "DATABASE_EXEC_MODE": execMode, "K_SINK": w.broker.server.URL,
		"CODE_KEY": "a key that derives codes for nobody", "PUBLIC_URL": "https://example.com", "API_URL": "https://api.example.com",
		"SMTP_URL": w.box.url, "MAIL_FROM": "honeyDue <hello@example.com>",
	})
	for _, e := range w.function.Env {
		value, ok := here[e.Name]
		switch {
		case ok:
		case e.ValueFrom == nil:
			value = e.Value
		case isOptional(e.ValueFrom):
			continue
		default:
			return nil, fmt.Errorf("nothing here stands for the variable %s", e.Name)
		}
		env = append(env, e.Name+"="+value)
	}
	return env, nil
}

// poolSize returns how many connections the function opens, as its manifest says.
func (w *world) poolSize() string {
	for _, e := range w.function.Env {
		if e.Name == "DATABASE_POOL_SIZE" {
			return e.Value
		}
	}
	return "some"
}

func isOptional(from *corev1.EnvVarSource) bool {
	if from.ConfigMapKeyRef != nil {
		return from.ConfigMapKeyRef.Optional != nil && *from.ConfigMapKeyRef.Optional
	}
	return from.SecretKeyRef != nil && from.SecretKeyRef.Optional != nil && *from.SecretKeyRef.Optional
}
