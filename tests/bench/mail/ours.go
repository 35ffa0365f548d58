package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/honeydue/backend/events"
)

// A teller completes tasks as function tasks does: the entry, the event and its delivery row in one transaction, the event to
// the broker after it.
type teller struct {
	db     *pgxpool.Pool
	outbox events.Outbox
	tasks  *background
	client *http.Client
}

func (w *world) openTeller(ctx context.Context, database string) (*teller, error) {
	db, err := openPool(ctx, w.postgres.URL("honeydue_tasks", database))
	if err != nil {
		return nil, err
	}
	t := &teller{db: db, tasks: &background{}, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnce}}}
	t.outbox = events.Outbox{
		Function: "tasks", DB: db, Publisher: events.Publisher{Sink: w.broker.server.URL, Client: t.client}, Tasks: t.tasks,
		Log: slog.New(slog.DiscardHandler), Now: time.Now,
	}
	return t, nil
}

// openPool opens as many connections as there are orders placed at once.
func openPool(ctx context.Context, url string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read address of database: %w", err)
	}
	config.MaxConns, config.MinConns = atOnce, atOnce
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return pool, nil
}

func (t *teller) close() {
	t.tasks.running.Wait()
	t.client.CloseIdleConnections()
	t.db.Close()
}

const insertCompletion = `
INSERT INTO task_taskcompletion (task_id, completed_by_id, completed_on, before_in_progress)
VALUES ($1, $2, current_date, false) RETURNING id`

// complete completes the order's task and returns when that was committed.
func (t *teller) complete(ctx context.Context, o order) (committed time.Time, err error) {
	queue := &queued{}
	err = pgx.BeginFunc(ctx, t.db, func(tx pgx.Tx) error {
		var completion int64
		if err := tx.QueryRow(ctx, insertCompletion, o.TaskID, o.ActorID).Scan(&completion); err != nil {
			return fmt.Errorf("insert completion: %w", err)
		}
		event := events.TaskCompleted{TaskID: o.TaskID, CompletionID: completion, ResidenceID: o.HomeID, ActorID: o.ActorID}
		return errors.Join(t.outbox.Append(ctx, queue, event), tx.SendBatch(ctx, &queue.batch).Close())
	})
	if err != nil {
		return committed, fmt.Errorf("complete task: %w", err)
	}
	committed = time.Now()
	for _, run := range queue.after {
		run()
	}
	return committed, nil
}

// queued is what goes with a commit, and what comes after it.
type queued struct {
	batch pgx.Batch
	after []func()
}

func (q *queued) Queue(sql string, args ...any) { q.batch.Queue(sql, args...) }
func (q *queued) AfterCommit(run func())        { q.after = append(q.after, run) }

// background runs what no answer waits for.
type background struct{ running sync.WaitGroup }

func (b *background) Go(run func(ctx context.Context)) {
	b.running.Go(func() { run(context.Background()) })
}
