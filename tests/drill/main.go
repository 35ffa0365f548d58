// Command drill loses the database on purpose: a million tasks are dumped to a bucket and restored into an empty server, every row is
// compared with the one that was there, and a function's login of after a rotation reads one. It runs on servers of its own and touches no other.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"filippo.io/age"
	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/tests/bench/world"
)

const (
	tasksAHome = 100
	longest    = 10 * time.Minute // for the dump, the restore and the comparison
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	tasks := flag.Int("tasks", 1_000_000, "how many there are")
	flag.Parse()
	err := drill(ctx, *tasks, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "drill:", err)
		os.Exit(1)
	}
}

// A step is what took how long.
type step struct {
	what string
	took time.Duration
}

func drill(ctx context.Context, tasks int, out io.Writer) (err error) {
	if tasks < tasksAHome || tasks > 10_000_000 {
		return errors.New("-tasks is from 100 to 10000000")
	}
	w, err := world.Open(ctx, "backup")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	_, _ = fmt.Fprintf(out, "filling a database with %d tasks\n", tasks)
	if _, err := w.Crowd(ctx, tasks/tasksAHome, tasksAHome); err != nil {
		return err
	}
	r, err := prepare(ctx, w)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	// Functions sign in as after a rotation.
	if err := r.migrate(ctx, r.from); err != nil {
		return err
	}

	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	var steps []step
	timed := func(what string, f func() error) error {
		_, _ = fmt.Fprintln(out, what)
		began := time.Now()
		if err := f(); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		steps = append(steps, step{what, time.Since(began)})
		return nil
	}
	name, rows := "", int64(0)
	if err := timed("dump", func() error {
		said, err := r.backup(ctx, r.from, "dump")
		name, _, _ = strings.Cut(said, ":")
		return err
	}); err != nil {
		return err
	}
	if err := timed("restore", func() error {
		_, err := r.backup(ctx, r.to, "restore", name)
		return err
	}); err != nil {
		return err
	}
	if err := timed("compare row for row", func() (err error) {
		rows, err = compare(ctx, r.from, r.to)
		return err
	}); err != nil {
		return err
	}
	if err := timed("sign functions in", func() error { return r.signIn(ctx) }); err != nil {
		return err
	}
	table, all := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0), time.Duration(0)
	_, _ = fmt.Fprintln(table, "\nstep\ttook\t")
	for _, s := range steps {
		all += s.took
		_, _ = fmt.Fprintf(table, "%s\t%s\t\n", s.what, s.took.Round(100*time.Millisecond))
	}
	_, _ = fmt.Fprintf(table, "in all\t%s\t\n", all.Round(100*time.Millisecond))
	if err := table.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\n%d rows, all as they were. Target: under %s\n", rows, longest)
	return err
}

// servers are where the database was, where it is restored, and the bucket between them.
type servers struct {
	dir      string
	programs string // the folder of what is run
	from, to string // addresses
	fresh    *devserver.Postgres
	s3       *devserver.S3
	identity string // its file
	env      []string
}

const bucketName = "backups"

func prepare(ctx context.Context, w *world.World) (r *servers, err error) {
	r = &servers{programs: w.Dir, from: w.Postgres.URL(devserver.Owner, world.Database)}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	if r.dir, err = os.MkdirTemp("", "honeydue-drill-"); err != nil {
		return r, fmt.Errorf("make folder: %w", err)
	}
	if err := os.Chmod(r.dir, 0o755); err != nil {
		return r, fmt.Errorf("open folder: %w", err)
	}
	options := devserver.Options{Dir: r.dir, Durable: true}
	if r.fresh, err = devserver.StartPostgres(ctx, options); err != nil {
		return r, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := r.fresh.CreateDatabase(ctx, world.Database, "template0"); err != nil {
		return r, err
	}
	r.to = r.fresh.URL(devserver.Owner, world.Database)
	if r.s3, err = devserver.StartS3(ctx, options); err != nil {
		return r, fmt.Errorf("start S3 server: %w", err)
	}
	if err := r.s3.CreateBucket(ctx, bucketName); err != nil {
		return r, err
	}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return r, fmt.Errorf("make identity: %w", err)
	}
	r.identity = filepath.Join(r.dir, "identity")
	if err := os.WriteFile(r.identity, []byte(identity.String()+"\n"), 0o600); err != nil {
		return r, fmt.Errorf("write identity: %w", err)
	}
	r.env = append(os.Environ(), "S3_ENDPOINT="+r.s3.URL(), "S3_REGION="+devserver.Region, "S3_BUCKET="+bucketName, "S3_ACCESS_KEY="+r.s3.AccessKey(),
		"S3_SECRET_KEY="+r.s3.SecretKey(), "BACKUP_RECIPIENT="+identity.Recipient().String(), "BACKUP_IDENTITY="+r.identity)
	return r, nil
}

func (r *servers) close() error {
	ctx := context.Background()
	var errs []error
	if r.s3 != nil {
		errs = append(errs, r.s3.Stop(ctx))
	}
	if r.fresh != nil {
		errs = append(errs, r.fresh.Stop(ctx))
	}
	if r.dir != "" {
		errs = append(errs, os.RemoveAll(r.dir))
	}
	return errors.Join(errs...)
}

// backup runs the command against a database, as an operator does.
func (r *servers) backup(ctx context.Context, database string, args ...string) (string, error) {
	return r.run(ctx, database, "backup", args...)
}

// login is the second one of function tasks, which has what that one's role has as a member of it.
const login = "honeydue_tasks_b"

// migrate runs the migrate program against a database, as a rollout does, with the login that a rotation chose.
func (r *servers) migrate(ctx context.Context, database string) error {
	_, err := r.run(ctx, database, "migrate")
	return err
}

// signIn gives the restored database its logins, as the rollout behind a restore does, and reads a task as function tasks does.
func (r *servers) signIn(ctx context.Context) error {
	if err := r.migrate(ctx, r.to); err != nil {
		return err
	}
	conns, closing, err := connections(ctx, r.fresh.URL(login, world.Database))
	defer closing()
	if err != nil {
		return err
	}
	var title string
	if err := conns[0].QueryRow(ctx, `SELECT title FROM task_task LIMIT 1`).Scan(&title); err != nil {
		return fmt.Errorf("read a task as %s: %w", login, err)
	}
	return nil
}

func (r *servers) run(ctx context.Context, database, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(r.programs, program), args...)
	cmd.Env = append(append([]string{}, r.env...), "DATABASE_URL="+database, "DATABASE_LOGINS="+login+":drill")
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", program, err, said.String())
	}
	return string(out), nil
}

// connections opens one to each database.
func connections(ctx context.Context, urls ...string) (all []*pgx.Conn, closing func(), err error) {
	closing = func() {
		for _, conn := range all {
			_ = conn.Close(context.WithoutCancel(ctx))
		}
	}
	for _, url := range urls {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return all, closing, fmt.Errorf("connect: %w", err)
		}
		all = append(all, conn)
	}
	return all, closing, nil
}
