package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/idempotency"
	"github.com/honeydue/backend/shared/pg"
)

type createTasksInput struct {
	idempotency.Header
	Body struct {
		ResidenceID int64     `json:"residence_id" minimum:"1" example:"3"`
		Tasks       []NewTask `json:"tasks" nullable:"false" minItems:"1" maxItems:"50"`
	}
}

// createdTasks are in the order in which they were sent.
type createdTasks struct {
	Tasks []task `json:"tasks" nullable:"false"`
}

func (s *service) createTasks(ctx context.Context, in *createTasksInput) (*idempotency.Answer[createdTasks], error) {
	guard, err := idempotency.New(authn.User(ctx).ID, "/api/tasks/bulk/", in.Header, in.Body)
	if err != nil {
		return nil, err
	}
	at := func(i int) string { return fmt.Sprintf("body.tasks[%d].", i) }
	for i := range in.Body.Tasks {
		if err := in.Body.Tasks[i].tidy(at(i)); err != nil {
			return nil, err
		}
	}
	made := createdTasks{Tasks: make([]task, len(in.Body.Tasks))}
	err = s.Homes.Change(ctx, guard, s.workIn(in.Body.ResidenceID), func(tx *pg.Tx, access home.Access) error {
		inserted, err := s.insertTasks(ctx, tx, access, in.Body.Tasks, at)
		if err != nil {
			return err
		}
		for i, r := range inserted {
			made.Tasks[i] = s.show(ctx, r)
		}
		return guard.Keep(tx, http.StatusCreated, made)
	})
	if err != nil {
		return nil, fmt.Errorf("create tasks: %w", err)
	}
	return idempotency.Reply(guard, made)
}

// insertTasks adds tasks to a home in one round trip, and tells those who were given one. at is the path of the i-th in the
// body, for what is refused.
func (s *service) insertTasks(ctx context.Context, tx *pg.Tx, access home.Access, wanted []NewTask, at func(i int) string) (inserted []row, err error) {
	batch := &pgx.Batch{}
	for i := range wanted {
		if err := mayAssign(at(i), access, wanted[i].AssignedToID); err != nil {
			return nil, err
		}
		args, err := wanted[i].args(access.ResidenceID, access.UserID)
		if err != nil {
			return nil, err
		}
		batch.Queue(insertTask, args...)
	}
	if inserted, err = insertRows(ctx, tx, batch, at); err != nil {
		return nil, err
	}
	for _, r := range inserted {
		if err := s.tellAssignee(ctx, tx, r, access.UserID); err != nil {
			return nil, err
		}
	}
	return inserted, nil
}

func insertRows(ctx context.Context, tx *pg.Tx, batch *pgx.Batch, at func(i int) string) ([]row, error) {
	inserted := make([]row, 0, batch.Len())
	results := tx.SendBatch(ctx, batch)
	for i := range batch.Len() {
		r, err := readOne[row](results)
		if err != nil {
			// What the batch says when it is closed is the same once more.
			_ = results.Close()
			return nil, refusedReference(at(i), err)
		}
		inserted = append(inserted, r)
	}
	if err := results.Close(); err != nil {
		return nil, fmt.Errorf("insert tasks: %w", err)
	}
	return inserted, nil
}
