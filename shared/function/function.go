// Package function opens what every function with an HTTP API works with, and serves it.
package function

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/cache"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/run"
	"github.com/honeydue/backend/shared/telemetry"
)

// Config is what such a function reads.
type Config struct {
	Run       run.Config
	Database  pg.Config
	Cache     cache.Config
	Telemetry telemetry.Config
	Sink      string      `envconfig:"K_SINK" required:"true"`
	Proxies   api.Proxies `envconfig:"TRUSTED_PROXIES"`
}

// Base is what its handlers use. Nothing in it has connected to anything yet.
type Base struct {
	Name   string
	Log    *slog.Logger
	DB     *pg.DB
	Cache  *cache.Cache
	Auth   *authn.Authenticator
	Homes  home.Homes
	Outbox *events.Outbox
	Now    func() time.Time

	// Events takes deliveries from the broker at POST /, beside the API. Most functions have none.
	Events http.Handler

	background *run.Background
	config     Config
}

// Open returns the base of the function name.
func Open(ctx context.Context, name string, cfg Config, log *slog.Logger) (*Base, error) {
	db, err := pg.Open(ctx, cfg.Database)
	if err != nil {
		return nil, err
	}
	kept, err := cache.Open(cfg.Cache, log)
	if err != nil {
		return nil, err
	}
	background := &run.Background{}
	return &Base{
		Name: name, Log: log, DB: db, Cache: kept, Now: time.Now, background: background, config: cfg,
		Auth:  &authn.Authenticator{DB: db, Cache: kept},
		Homes: home.Homes{DB: db, Cache: kept},
		Outbox: &events.Outbox{
			Function: name, DB: db, Tasks: background, Log: log, Now: time.Now,
			Publisher: events.NewPublisher(cfg.Sink),
		},
	}, nil
}

// Handler serves the operations that routes registers, and Events.
func (b *Base) Handler(routes func(huma.API)) http.Handler {
	handler := api.New(b.Name, b.Log, b.config.Proxies, routes)
	if b.Events == nil {
		return handler
	}
	// A mux would redirect paths with two slashes, which are nobody's here.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == "/" {
			b.Events.ServeHTTP(w, r)
			return
		}
		handler.ServeHTTP(w, r)
	})
}

// Serve runs the function until ctx ends, then drains and closes what was opened.
func (b *Base) Serve(ctx context.Context, routes func(huma.API)) error {
	traces, err := telemetry.Open(ctx, b.config.Telemetry, b.Name, b.Log)
	if err != nil {
		return err
	}
	err = run.Serve(ctx, b.config.Run, b.Log, b.background, traces.Handler(b.Handler(routes)))
	traces.End(context.WithoutCancel(ctx))
	return errors.Join(err, b.Close(context.WithoutCancel(ctx)))
}

// Close waits for what is published in the background and ends all connections.
func (b *Base) Close(ctx context.Context) error {
	err := b.background.Wait(ctx)
	b.DB.Close()
	return errors.Join(err, b.Cache.Close())
}
