package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/idempotency"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// held is a task whose row nobody else changes until the transaction ends. Its lock and its reading travel with
// the home's locks; the reading is a statement of its own, since only one that begins behind the lock sees what stood before it.
type held struct {
	row
	Every *int
	Unit  *string

	// Of the newest entry of its history that ended an occurrence.
	EndedOccurrence *date.Date
	EndedOn         *date.Date
}

const (
	lockTask = `SELECT id FROM task_task WHERE id = $1 FOR UPDATE`

	selectHeld = `
SELECT ` + columns + `, f.every, f.unit, e.occurrence_on AS ended_occurrence, e.completed_on AS ended_on
FROM task_task t LEFT JOIN task_frequency f ON f.id = t.frequency_id LEFT JOIN LATERAL (
    SELECT c.occurrence_on, c.completed_on FROM task_taskcompletion c WHERE c.task_id = t.id AND c.kind <> 'unassigned'
    ORDER BY c.id DESC LIMIT 1
) e ON true
WHERE t.id = $1`
)

// Queue asks for the lock and the row of the task whose ID is set.
func (h *held) Queue(batch *pgx.Batch) {
	batch.Queue(lockTask, h.ID)
	batch.Queue(selectHeld, h.ID)
}

// Read fills h. A task that went meanwhile is not found.
func (h *held) Read(results pgx.BatchResults) error {
	if _, err := results.Exec(); err != nil {
		return fmt.Errorf("lock task %d: %w", h.ID, err)
	}
	read, err := readOne[held](results)
	if err != nil {
		return fmt.Errorf("read task %d: %w", h.ID, err)
	}
	*h = read
	return nil
}

// frequencies are the rhythms of the list, by id.
type frequencies map[int64]rhythm

type rhythm struct {
	ID    int64
	Every *int
	Unit  *string
}

const selectFrequencies = `SELECT id, every, unit FROM task_frequency`

// Queue asks for the list.
func (f *frequencies) Queue(batch *pgx.Batch) { batch.Queue(selectFrequencies) }

// Read fills f.
func (f *frequencies) Read(results pgx.BatchResults) error {
	rows, err := results.Query()
	if err != nil {
		return fmt.Errorf("ask for frequencies: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[rhythm])
	if err != nil {
		return fmt.Errorf("read frequencies: %w", err)
	}
	*f = frequencies{}
	for _, r := range found {
		(*f)[r.ID] = r
	}
	return nil
}

// of returns the rhythm of that id, and none for no id or one that is not in the list.
func (f frequencies) of(id *int64) (every *int, unit *string) {
	if id == nil {
		return nil, nil
	}
	return f[*id].Every, f[*id].Unit
}

// readOne reads the next result of a batch, which must be one row. No row is the 404 of what is not there.
func readOne[T any](results pgx.BatchResults) (T, error) {
	var none T
	rows, err := results.Query()
	if err != nil {
		return none, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[T])
	if err != nil {
		return none, err
	}
	if len(found) == 0 {
		return none, problem.NotFound()
	}
	return found[0], nil
}

// changeTask runs fn on a task that the caller may work on, in the transaction that holds it, and writes what fn made of it.
func (s *service) changeTask(ctx context.Context, id int64, fn func(tx *pg.Tx, access home.Access, now *held) error, more ...home.Ask) (row, error) {
	now := &held{row: row{ID: id}}
	var after row
	look := func(ctx context.Context) (home.Access, error) { return s.workOn(ctx, id) }
	err := s.Homes.Change(ctx, &idempotency.Guard{}, look, func(tx *pg.Tx, access home.Access) error {
		if err := fn(tx, access, now); err != nil {
			return err
		}
		args, err := updateArgs(now.row)
		if err != nil {
			return err
		}
		after, err = pg.One[row](ctx, tx, updateTask, args...)
		return refusedReference("body.", err)
	}, append([]home.Ask{now}, more...)...)
	if err != nil {
		return row{}, fmt.Errorf("change task %d: %w", id, err)
	}
	return after, nil
}

const updateTask = `
UPDATE task_task t SET title = $2, description = $3, category_id = $4, priority_id = $5, frequency_id = $6, recurrence = $7::jsonb,
    due_on = $8::date, next_due_on = $9::date, assigned_to_id = $10, contractor_id = $11, template_id = $12, estimated_cost = $13::numeric,
    in_progress = $14, is_cancelled = $15, is_archived = $16, last_completed_on = $17::date, completion_count = $18, updated_at = now()
WHERE t.id = $1
RETURNING ` + columns

func updateArgs(r row) ([]any, error) {
	rule, err := ruleText(r.Recurrence)
	if err != nil {
		return nil, err
	}
	return []any{
		r.ID, r.Title, r.Description, r.CategoryID, r.PriorityID, r.FrequencyID, rule, r.DueOn, r.NextDueOn, r.AssignedToID,
		r.ContractorID, r.TemplateID, r.EstimatedCost, r.InProgress, r.IsCancelled, r.IsArchived, r.LastCompletedOn, r.CompletionCount,
	}, nil
}

// refusedReference turns PostgreSQL's refusal of an id that a task cannot refer to into the field, below at, that named it.
func refusedReference(at string, err error) error {
	for _, field := range []string{"category_id", "priority_id", "frequency_id", "template_id"} {
		if pg.Violates(err, "task_task_"+field+"_fkey") {
			return problem.Invalid(at+field, "expected an id of the "+strings.TrimSuffix(field, "_id")+" list")
		}
	}
	if pg.Violates(err, "task_task_contractor_id_fkey") {
		return problem.Invalid(at+"contractor_id", "expected a contractor of the home")
	}
	return err
}
