package main

import (
	"context"
	"fmt"

	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/idempotency"
	"github.com/honeydue/backend/shared/pg"
)

const deleteTask = `DELETE FROM task_task WHERE id = $1`

func (s *service) deleteTask(ctx context.Context, in *taskInput) (*struct{}, error) {
	look := func(ctx context.Context) (home.Access, error) { return s.workOn(ctx, in.ID) }
	err := s.Homes.Change(ctx, &idempotency.Guard{}, look, func(tx *pg.Tx, _ home.Access) error {
		tx.Queue(deleteTask, in.ID)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("delete task %d: %w", in.ID, err)
	}
	return nil, nil
}
