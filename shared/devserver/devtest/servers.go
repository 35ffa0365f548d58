package devtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/honeydue/backend/shared/devserver"
)

const (
	template = "honeydue_template"

	// redisDatabases is how many tests of one binary may run at the same time.
	redisDatabases = 512

	// setupTimeout bounds one step of a test's setup or cleanup.
	setupTimeout = time.Minute

	// startTimeout bounds the start of all servers, with the build of the migrate program.
	startTimeout = 5 * time.Minute
)

// Servers are a PostgreSQL server with a migrated template, a Redis, and a PgBouncer when tests go through it.
type Servers struct {
	Postgres  *devserver.Postgres
	PgBouncer *devserver.PgBouncer // nil without HONEYDUE_TEST_VIA=pgbouncer
	Redis     *devserver.Redis

	folder  *folder
	redis   chan int      // numbers of the Redis databases that no test has
	copying chan struct{} // holds an item while the template is copied
}

func startServers(ctx context.Context, migrate func(ctx context.Context, ownerURL string) error) (*Servers, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	folder, err := makeFolder()
	if err != nil {
		return nil, err
	}
	s := &Servers{folder: folder, redis: make(chan int, redisDatabases), copying: make(chan struct{}, 1)}
	for number := range redisDatabases {
		s.redis <- number
	}
	err = s.start(ctx)
	if err == nil {
		err = s.makeTemplate(ctx, migrate)
	}
	if err != nil {
		return nil, errors.Join(err, s.stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func (s *Servers) start(ctx context.Context) error {
	var err error
	if s.Postgres, err = devserver.StartPostgres(ctx, devserver.Options{Dir: s.folder.path}); err != nil {
		return err
	}
	s.Redis, err = devserver.StartRedis(ctx, devserver.Options{
		Dir:      s.folder.path,
		Settings: map[string]string{"databases": strconv.Itoa(redisDatabases)},
	})
	if err != nil {
		return err
	}
	switch via := os.Getenv("HONEYDUE_TEST_VIA"); via {
	case "":
		return nil
	case "pgbouncer":
		s.PgBouncer, err = devserver.StartPgBouncer(ctx, devserver.Options{Dir: s.folder.path}, s.Postgres)
		return err
	default:
		return fmt.Errorf("read HONEYDUE_TEST_VIA: %q is not pgbouncer", via)
	}
}

// makeTemplate makes the database that every test gets a copy of. It refuses connections afterwards, since one
// would block the copying.
func (s *Servers) makeTemplate(ctx context.Context, migrate func(ctx context.Context, ownerURL string) error) error {
	if err := s.Postgres.CreateDatabase(ctx, template, ""); err != nil {
		return err
	}
	if err := migrate(ctx, s.Postgres.URL(devserver.Owner, template)); err != nil {
		return fmt.Errorf("migrate template: %w", err)
	}
	closing := "ALTER DATABASE " + template + " WITH IS_TEMPLATE true ALLOW_CONNECTIONS false"
	if err := s.Postgres.Exec(ctx, devserver.Owner, closing); err != nil {
		return fmt.Errorf("close template: %w", err)
	}
	return nil
}

// lastLines returns what a server said last.
func lastLines(log string) string {
	const most = 2000
	text, err := os.ReadFile(filepath.Clean(log))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}

// stop ends what runs and removes the folder.
func (s *Servers) stop(ctx context.Context) error {
	var errs []error
	if s.PgBouncer != nil {
		if s.PgBouncer.PID() == 0 {
			errs = append(errs, fmt.Errorf("pgbouncer ended by itself: %s", lastLines(s.PgBouncer.Log())))
		}
		errs = append(errs, s.PgBouncer.Stop(ctx))
	}
	if s.Redis != nil {
		errs = append(errs, s.Redis.Stop(ctx))
	}
	if s.Postgres != nil {
		errs = append(errs, s.Postgres.Stop(ctx))
	}
	return errors.Join(append(errs, s.folder.remove())...)
}
