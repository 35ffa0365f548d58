package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/attach"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/idempotency"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// heldEntry is an entry of a task's history, read behind the lock of that task: so the newest stays the newest, of those that
// ended an occurrence.
type heldEntry struct {
	task held
	readEntry
}

type readEntry struct {
	entry
	Newest bool
}

var selectHeldEntry = `
SELECT ` + entryColumns + `, NOT EXISTS (SELECT FROM task_taskcompletion n WHERE n.task_id = c.task_id AND n.kind <> 'unassigned' AND n.id > c.id) AS newest
FROM task_taskcompletion c WHERE c.id = $1`

// Queue asks for the entry whose ID is set, and for its task.
func (h *heldEntry) Queue(batch *pgx.Batch) {
	h.task.Queue(batch)
	batch.Queue(selectHeldEntry, h.ID)
}

// Read fills h. An entry that went meanwhile is not found.
func (h *heldEntry) Read(results pgx.BatchResults) error {
	if err := h.task.Read(results); err != nil {
		return err
	}
	read, err := readOne[readEntry](results)
	if err != nil {
		return fmt.Errorf("read completion %d: %w", h.ID, err)
	}
	h.readEntry = read
	return nil
}

// changeCompletion runs fn on an entry that the caller may work on, in the transaction that holds its task and claims photos for it.
func (s *service) changeCompletion(ctx context.Context, id int64, photos *attach.Set, fn func(tx *pg.Tx, now *heldEntry) error) error {
	now := &heldEntry{}
	now.ID = id
	look := func(ctx context.Context) (home.Access, error) {
		access, err := s.workOnCompletion(ctx, id)
		now.task.ID = access.TaskID
		return access.Access, err
	}
	err := s.Homes.Change(ctx, &idempotency.Guard{}, photos.Behind(look), func(tx *pg.Tx, _ home.Access) error {
		if now.Kind == kindUnassigned {
			return problem.Conflict("That someone left is no one's to change.", s.show(ctx, now.task.row))
		}
		return fn(tx, now)
	}, now, photos)
	if err := photos.Settle(ctx, err); err != nil {
		return fmt.Errorf("change completion %d: %w", id, err)
	}
	return nil
}
