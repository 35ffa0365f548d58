package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/hibiken/asynq"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// ready is what a worker says on its standard output once it takes jobs.
const ready = "ready\n"

// work is this program as the worker of a queue: its arguments are the queue, its address and the setting.
// It ends when its standard input does.
func work(ctx context.Context, args []string) error {
	if len(args) != 3 {
		return errors.New("a worker takes three arguments")
	}
	queue, address, s := args[0], args[1], setting{args[2] == setting{true}.String()}
	open := openAsynqWorker
	if queue == "river" {
		open = openRiverWorker
	}
	stop, err := open(ctx, address, s)
	if err != nil {
		return err
	}
	if _, err := os.Stdout.WriteString(ready); err != nil {
		return fmt.Errorf("say ready: %w", err)
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, stop())
}

func openAsynqWorker(_ context.Context, address string, s setting) (stop func() error, err error) {
	options, err := asynq.ParseRedisURI(address)
	if err != nil {
		return nil, fmt.Errorf("read address of Redis: %w", err)
	}
	letters := newDesk()
	server := asynq.NewServer(options, s.asynq())
	err = server.Start(asynq.HandlerFunc(func(ctx context.Context, task *asynq.Task) error {
		var j job
		if err := json.Unmarshal(task.Payload(), &j); err != nil {
			return fmt.Errorf("decode job: %w", err)
		}
		return letters.send(ctx, j.Letter, j.To)
	}))
	if err != nil {
		return nil, fmt.Errorf("start asynq: %w", err)
	}
	return func() error { server.Shutdown(); return nil }, nil
}

// A sender works river's jobs.
type sender struct {
	river.WorkerDefaults[job]

	letters *desk
}

// Work sends the mail of a job.
func (s *sender) Work(ctx context.Context, j *river.Job[job]) error {
	return s.letters.send(ctx, j.Args.Letter, j.Args.To)
}

func openRiverWorker(ctx context.Context, address string, s setting) (stop func() error, err error) {
	pool, err := openPool(ctx, address)
	if err != nil {
		return nil, err
	}
	config := s.river()
	config.Workers = river.NewWorkers()
	river.AddWorker(config.Workers, &sender{letters: newDesk()})
	config.Queues = map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: atOnce}}
	client, err := river.NewClient(riverpgxv5.New(pool), config)
	if err == nil {
		err = client.Start(ctx)
	}
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("start river: %w", err)
	}
	return func() error {
		defer pool.Close()
		return client.Stop(context.WithoutCancel(ctx))
	}, nil
}
