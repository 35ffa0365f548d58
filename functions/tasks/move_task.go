package main

import (
	"context"
	"errors"

	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// errNotOpen refuses what only a task that can be completed takes.
var errNotOpen = errors.New("the task is not open")

func markInProgress(t *row) error {
	if !t.open() {
		return errNotOpen
	}
	t.InProgress = true
	return nil
}

func clearInProgress(t *row) error { t.InProgress = false; return nil }
func cancel(t *row) error          { t.IsCancelled = true; return nil }
func uncancel(t *row) error        { t.IsCancelled = false; return nil }
func archive(t *row) error         { t.IsArchived = true; return nil }
func unarchive(t *row) error       { t.IsArchived = false; return nil }

// open returns whether the task can be completed: it is on the board, and not in the last column.
func (r row) open() bool {
	return !r.IsCancelled && !r.IsArchived && (r.NextDueOn != nil || r.CompletionCount == 0)
}

// moveTask returns the handler of a call that sets or clears a mark. Saying the same again changes nothing.
func (s *service) moveTask(move func(*row) error) func(context.Context, *taskInput) (*taskOutput, error) {
	return func(ctx context.Context, in *taskInput) (*taskOutput, error) {
		moved, err := s.changeTask(ctx, in.ID, func(_ *pg.Tx, _ home.Access, now *held) error {
			err := move(&now.row)
			if errors.Is(err, errNotOpen) {
				return problem.Conflict("This task is completed, cancelled or archived.", s.show(ctx, now.row))
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		return &taskOutput{Body: s.show(ctx, moved)}, nil
	}
}
