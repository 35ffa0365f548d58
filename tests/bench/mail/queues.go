package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/honeydue/backend/shared/devserver"
)

// A job is a mail that a queue carries, with all that it says: its worker looks nothing up.
type job struct {
	To     string  `json:"to"`
	Letter *letter `json:"letter"`
}

// Kind is the job's name in either queue.
func (job) Kind() string { return "mail" }

// A setting of the queues is how eagerly a worker looks for jobs: as it comes, or as often as the queue allows.
type setting struct {
	eager bool
}

const mostEager = time.Millisecond

func (s setting) String() string {
	if s.eager {
		return "eager"
	}
	return "default"
}

// openAsynq returns what puts a job into Redis.
func (w *world) openAsynq(database int, l *letter) (enqueue enqueuer, closed func(), err error) {
	options, err := asynq.ParseRedisURI(w.redis.URL(database))
	if err != nil {
		return nil, nil, fmt.Errorf("read address of Redis: %w", err)
	}
	client := asynq.NewClient(options)
	enqueue = func(ctx context.Context, o order) (time.Time, error) {
		payload, err := json.Marshal(job{o.Address, l})
		if err != nil {
			return time.Time{}, fmt.Errorf("encode job: %w", err)
		}
		if _, err := client.EnqueueContext(ctx, asynq.NewTask(job{}.Kind(), payload)); err != nil {
			return time.Time{}, fmt.Errorf("enqueue job: %w", err)
		}
		return time.Now(), nil
	}
	return enqueue, func() { _ = client.Close() }, nil
}

// openRiver makes a database for river and returns what puts a job into it, in a transaction as it is meant to be.
func (w *world) openRiver(ctx context.Context, database string, l *letter, s setting) (enqueue enqueuer, closed func(), err error) {
	if err := w.postgres.CreateDatabase(ctx, database, ""); err != nil {
		return nil, nil, err
	}
	pool, err := openPool(ctx, w.postgres.URL(devserver.Owner, database))
	if err != nil {
		return nil, nil, err
	}
	driver := riverpgxv5.New(pool)
	migrator, err := rivermigrate.New(driver, nil)
	if err == nil {
		_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	}
	if err != nil {
		pool.Close()
		return nil, nil, fmt.Errorf("migrate river: %w", err)
	}
	client, err := river.NewClient(driver, s.river())
	if err != nil {
		pool.Close()
		return nil, nil, fmt.Errorf("open river: %w", err)
	}
	enqueue = func(ctx context.Context, o order) (time.Time, error) {
		err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			_, err := client.InsertTx(ctx, tx, job{o.Address, l}, nil)
			return err
		})
		if err != nil {
			return time.Time{}, fmt.Errorf("insert job: %w", err)
		}
		return time.Now(), nil
	}
	return enqueue, pool.Close, nil
}

func (s setting) river() *river.Config {
	if !s.eager {
		return &river.Config{}
	}
	return &river.Config{FetchCooldown: mostEager}
}

func (s setting) asynq() asynq.Config {
	config := asynq.Config{Concurrency: atOnce, LogLevel: asynq.WarnLevel}
	if s.eager {
		config.TaskCheckInterval = mostEager
	}
	return config
}
