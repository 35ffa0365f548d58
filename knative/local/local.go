// Package local runs the whole system on one machine, without a cluster: the manifests that production applies,
// the real programs, real servers behind them, and stand-ins for Knative, the edge, a mail provider and push services.
package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/honeydue/backend/knative/local/mailbox"
	"github.com/honeydue/backend/knative/schedule"
	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/shared/devserver/push"
)

const (
	loopback = "127.0.0.1"

	// drainTimeout bounds each step of an orderly end.
	drainTimeout = 15 * time.Second
)

// A System runs until it is stopped.
type System struct {
	URL string // where its public paths are, and /_local/

	Postgres  *devserver.Postgres
	PgBouncer *devserver.PgBouncer
	Redis     *devserver.Redis
	S3        *devserver.S3

	log       *slog.Logger
	mailbox   *mailbox.Mailbox
	pushes    *push.Double
	objects   *bucketView
	functions []*function // by name
	scheduler *schedule.Scheduler
	bus       *bus
	inside    atomic.Pointer[string] // host:port where functions take events
	schedules []scheduleDetail
	events    *eventLog
	logs      *logBook
	metrics   *metrics

	// closers end what was started, to be called in the order of their start turned round.
	closers []func(ctx context.Context) error
	once    sync.Once
	stopErr error
}

// Start builds, migrates and starts everything, and returns once requests are taken. When ctx ends before, or
// anything fails, it has stopped all that it started.
func Start(ctx context.Context, c Config) (*System, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	s := &System{log: c.Log, events: &eventLog{}, logs: &logBook{}, metrics: newMetrics()}
	if err := s.start(ctx, c); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// start takes the folder, then brings servers, programs, and what connects them, up in that order.
func (s *System) start(ctx context.Context, c Config) error {
	if err := s.takeFolder(c.Dir); err != nil {
		return err
	}
	// The port is taken first: a system that cannot have it should say so before it has worked for minutes.
	listener, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(c.Port))) //nolint:noctx // returns at once
	if err != nil {
		return fmt.Errorf("listen on port %d: %w", c.Port, err)
	}
	s.closers = append(s.closers, func(context.Context) error { _ = listener.Close(); return nil })
	s.URL = "http://" + listener.Addr().String()

	if err := s.prepare(ctx, c); err != nil {
		return err
	}
	v, err := s.connect(c)
	if err != nil {
		return err
	}
	if err := s.migrate(ctx, c, v); err != nil {
		return err
	}
	if err := s.addFunctions(c, v); err != nil {
		return err
	}
	return s.open(c, listener)
}

// hostURL is where a function that has a public host of its own answers here.
func (s *System) hostURL(function string) string {
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(s.URL, "http://"))
	return "http://" + net.JoinHostPort(function+".localhost", port)
}

// takeFolder makes sure that no other system has the folder.
func (s *System) takeFolder(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "logs"), 0o755); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open lock: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		return fmt.Errorf("folder %s: another system runs in it", dir)
	}
	s.closers = append(s.closers, func(context.Context) error { return lock.Close() })
	return nil
}

// prepare starts the servers and builds the programs, both at once.
func (s *System) prepare(ctx context.Context, c Config) error {
	packages := []string{c.Manifests.Migrate.Package}
	for _, f := range c.Manifests.Functions {
		packages = append(packages, f.Package)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return build(ctx, c.Root, c.Bin, c.BuildFlags, packages, c.Log) })
	group.Go(func() error {
		started, err := startServers(ctx, c.Dir, c.Durable, c.Log)
		s.closers = append(s.closers, started.stop)
		s.Postgres, s.PgBouncer, s.Redis, s.S3 = started.postgres, started.pgbouncer, started.redis, started.s3
		return err
	})
	return group.Wait()
}

// connect opens the mailbox, the push services, the look into the bucket and the Broker, and returns what the manifests' references mean.
func (s *System) connect(c Config) (values, error) {
	box, err := mailbox.Open(filepath.Join(c.Dir, "mail"), c.Log)
	if err != nil {
		return nil, fmt.Errorf("open mailbox: %w", err)
	}
	if err := box.Start(); err != nil {
		return nil, fmt.Errorf("start mailbox: %w", err)
	}
	s.mailbox = box
	s.closers = append(s.closers, func(context.Context) error { box.Stop(); return nil })

	if err := s.connectPushes(c.Log); err != nil {
		return nil, err
	}
	if s.objects, err = newBucketView(s.S3); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, s.objects.close)

	s.bus = newBus(c.Manifests, s.resolve, s.events.observe, c.Log)
	if err := s.bus.start(); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, s.bus.stop)

	codeKey, err := secretFile(filepath.Join(c.Dir, "code.key"))
	if err != nil {
		return nil, err
	}
	adminKey, err := secretFile(filepath.Join(c.Dir, "admin.key"))
	if err != nil {
		return nil, err
	}
	v := localValues(c.Manifests, s, codeKey, adminKey)
	for reference, value := range c.Values {
		v[reference] = value
	}
	return v, writeAdminFile(c.Dir, s.hostURL("admin"), v)
}

// migrate runs the Job that a rollout would run.
func (s *System) migrate(ctx context.Context, c Config, v values) error {
	env, err := v.environment(c.Manifests.Migrate.Env)
	if err != nil {
		return fmt.Errorf("job %s: %w", c.Manifests.Migrate.Name, err)
	}
	c.Log.InfoContext(ctx, "migrating")
	program := filepath.Join(c.Bin, path.Base(c.Manifests.Migrate.Package))
	if err := runStep(ctx, step{name: "migrating", dir: c.Dir, program: program, env: env}, c.Log); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func (s *System) addFunctions(c Config, v values) error {
	for _, f := range c.Manifests.Functions {
		env, err := v.environment(f.Env)
		if err != nil {
			return fmt.Errorf("function %s: %w", f.Name, err)
		}
		env = append(env, "K_SERVICE="+f.Name, "K_CONFIGURATION="+f.Name, "K_REVISION="+f.Name+"-00001")
		logs, err := s.logs.writer(f.Name, filepath.Join(c.Dir, "logs", f.Name+".log"))
		if err != nil {
			return err
		}
		if c.Idle != 0 {
			f.Idle = c.Idle
		}
		fn := newFunction(f, filepath.Join(c.Bin, path.Base(f.Package)), env, logs, c.Log)
		s.functions = append(s.functions, fn)
		s.closers = append(s.closers, func(context.Context) error { return logs.file.Close() })
	}
	s.closers = append(s.closers, s.stopFunctions)
	return nil
}

// open lets requests, events and ticks in.
func (s *System) open(c Config, listener net.Listener) error {
	inside, err := s.listenInside()
	if err != nil {
		return err
	}
	s.closers = append(s.closers, inside, s.bus.stop)
	if s.scheduler, err = newScheduler(c.Manifests, s.bus, c.Log); err != nil {
		return err
	}
	s.closers = append(s.closers, s.scheduler.Close)
	for _, p := range c.Manifests.Schedules {
		s.schedules = append(s.schedules, scheduleDetail{p.Name, p.Spec.Schedule, p.Spec.Timezone})
	}
	if err := s.startKept(); err != nil {
		return err
	}
	server := &http.Server{
		Handler: newGateway(s.pages(), s.functions), ReadHeaderTimeout: readHeaderTimeout,
		ErrorLog: slog.NewLogLogger(c.Log.Handler(), slog.LevelWarn),
	}
	go func() {
		if err := server.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			c.Log.Error("server ended", "error", err)
		}
	}()
	s.closers = append(s.closers, server.Shutdown)
	return nil
}
