package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// databaseDeadline is how long the database may take to answer before it counts as down.
const databaseDeadline = time.Second

type health struct {
	Status   string `json:"status" enum:"ok" doc:"That requests are served"`
	Database string `json:"database" enum:"ok" doc:"That the database answers; when it does not, the answer is 503"`
	Cache    string `json:"cache" enum:"ok,degraded" doc:"Degraded: the cache does not answer, and everything is read from the database"`
}

type healthOutput struct{ Body health }

func (s *service) showHealth(ctx context.Context, _ *struct{}) (*healthOutput, error) {
	if err := s.askDatabase(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", problem.Unavailable(), err)
	}
	found := health{Status: "ok", Database: "ok", Cache: "ok"}
	if err := s.cache.Ping(ctx); err != nil {
		found.Cache = "degraded"
		api.Log(ctx, slog.String("cache", err.Error()))
	}
	return &healthOutput{found}, nil
}

// askDatabase returns an error also for a schema that is older than the code needs.
func (s *service) askDatabase(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, databaseDeadline)
	defer cancel()
	if _, err := pg.Value[int32](ctx, s.db, `SELECT 1::int4`); err != nil {
		return fmt.Errorf("ask database: %w", err)
	}
	return nil
}
