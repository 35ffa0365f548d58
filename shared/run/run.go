// Package run is the life of a function's process: read the configuration, serve, drain on SIGTERM.
package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/kelseyhightower/envconfig"

	"github.com/honeydue/backend/shared/telemetry"
	"github.com/honeydue/backend/shared/timing"
)

// Config is what every process reads.
type Config struct {
	Port       int        `envconfig:"PORT" default:"8080"`
	ListenHost string     `envconfig:"LISTEN_HOST"` // empty: every address, as a pod needs
	LogLevel   slog.Level `envconfig:"LOG_LEVEL" default:"info"`
}

// Logger returns the process's logger: JSON on standard error, with the function's name.
func (c Config) Logger(function string) *slog.Logger {
	return slog.New(telemetry.Logs(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: c.LogLevel}))).With("function", function)
}

// Read fills config from the environment. Its error names the variable and never its value.
func Read(config any) error {
	err := envconfig.Process("", config)
	var parse *envconfig.ParseError
	if errors.As(err, &parse) {
		return fmt.Errorf("environment variable %s is not a valid %s", variable(reflect.TypeOf(config), parse.KeyName), parse.TypeName)
	}
	if err != nil {
		return fmt.Errorf("environment: %w", err)
	}
	return nil
}

// variable returns the name by which people know the variable that envconfig calls by its path through the struct.
func variable(config reflect.Type, path string) string {
	name := ""
	if config.Kind() == reflect.Pointer {
		config = config.Elem()
	}
	if config.Kind() != reflect.Struct {
		return name
	}
	for i := range config.NumField() {
		field := config.Field(i)
		for _, tag := range []string{field.Tag.Get("envconfig"), variable(field.Type, path)} {
			if strings.HasSuffix(path, tag) && len(tag) > len(name) {
				name = tag
			}
		}
	}
	return name
}

// Main runs start and ends the process: with 0 when start returns nil, else with 1 and one line that says why.
// The context that start gets ends with SIGTERM or an interrupt.
func Main(start func(ctx context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	err := start(ctx)
	stop()
	if err != nil {
		slog.New(slog.NewJSONHandler(os.Stderr, nil)).Error("ended", "error", err.Error())
		os.Exit(1)
	}
}

// Limits of a server's connections and of its end. Knative gives a pod's queue-proxy the time to drain first.
const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 120 * time.Second
	drainTimeout      = 25 * time.Second
)

// health is the path by which the platform asks whether a process lives.
const health = "/healthz"

// Handler is what every process puts around its own handler. GET /healthz is answered here: it asks no one else, since a
// database that is down is no reason to kill a pod. All answers, redirects of the mux among them, pass here and nowhere else, so
// this is where they get their Server-Timing.
func Handler(handler http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+health, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.Handle("/", handler)
	return timing.Handler(mux, health)
}

// Serve listens on cfg's port and serves handler by way of [Handler] until ctx ends, then answers what has begun and waits for
// background.
func Serve(ctx context.Context, cfg Config, log *slog.Logger, background *Background, handler http.Handler) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(cfg.ListenHost, strconv.Itoa(cfg.Port)))
	if err != nil {
		return fmt.Errorf("listen on port %d: %w", cfg.Port, err)
	}
	if err := profile(ctx, log, background); err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{
		Handler:           Handler(handler),
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	err = server.Shutdown(drain)
	if waitErr := background.Wait(drain); err == nil {
		err = waitErr
	}
	if err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	return nil
}

// Background is the work of a process that outlives the request which caused it. The zero value is ready.
type Background struct{ group sync.WaitGroup }

// Go runs work on a goroutine of its own, with a context that nothing cancels: work sets its own deadlines.
func (b *Background) Go(work func(ctx context.Context)) {
	b.group.Go(func() { work(context.Background()) })
}

// Wait returns when all work has ended, or with an error when ctx ends first.
func (b *Background) Wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() { b.group.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.New("work was still running when its time was up")
	}
}
