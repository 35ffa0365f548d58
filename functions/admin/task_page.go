package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/problem"
)

// A taskDetail is a task with what only its own page tells.
type taskDetail struct {
	taskProfile
	History []happening `json:"history" nullable:"false" doc:"What happened to it, the newest 50 entries"`
}

// A taskProfile is what is known of a task itself.
type taskProfile struct {
	task
	Description     *string    `json:"description" example:"Both sides, and look at the joints"`
	Category        *string    `json:"category" example:"Roof and gutters"`
	Priority        *string    `json:"priority" example:"High"`
	Frequency       *string    `json:"frequency" doc:"A rhythm of the list; null when it has none or one of its own" example:"Every 6 months"`
	Recurrence      *string    `json:"recurrence" doc:"A rhythm of its own, as JSON" example:"{\"every\": 3, \"unit\": \"week\"}"`
	Contractor      *string    `json:"contractor" example:"Joan Marsh"`
	DueDate         *date.Date `json:"due_date" format:"date" doc:"The date that people set" example:"2026-10-31"`
	EstimatedCost   *string    `json:"estimated_cost" example:"129.90"`
	LastCompletedOn *date.Date `json:"last_completed_on" format:"date" example:"2026-10-29"`
	CompletionCount int        `json:"completion_count" example:"1"`
	CreatedByID     *int64     `json:"created_by_id" doc:"null once that account is gone" example:"7"`
	CreatedBy       *string    `json:"created_by" doc:"Their address" example:"ann@example.com"`
	UpdatedAt       time.Time  `json:"updated_at" example:"2026-06-01T08:00:00Z"`
}

// A happening is an entry of a task's history.
type happening struct {
	ID           int64      `json:"id" example:"41"`
	Kind         string     `json:"kind" enum:"completed,skipped,unassigned" doc:"unassigned: taken off somebody who left the home" example:"completed"`
	PersonID     *int64     `json:"person_id" doc:"Who did so, or whom it was taken off; null once that account is gone" example:"12"`
	Email        *string    `json:"email" doc:"Their address" example:"bob@example.com"`
	CompletedOn  date.Date  `json:"completed_on" format:"date" doc:"The day, also of skipping" example:"2026-10-29"`
	OccurrenceOn *date.Date `json:"occurrence_on" format:"date" doc:"The date that was due; null when none was" example:"2026-10-31"`
	ActualCost   *string    `json:"actual_cost" example:"140.00"`
	Rating       *int       `json:"rating" doc:"1 to 5" example:"5"`
	Notes        *string    `json:"notes" example:"Took an hour"`
	CreatedAt    time.Time  `json:"created_at" example:"2026-10-29T08:00:00Z"`
}

// $1 is the task, $2 how many.
const (
	selectTask = `
SELECT t.id, t.title, t.state, t.residence_id AS home_id, h.name AS home, t.assigned_to_id, u.email AS assigned_to, t.next_due_on AS next_due_date,
    t.created_at, t.key, t.description, c.name AS category, p.name AS priority, f.name AS frequency, t.recurrence::text AS recurrence, k.name AS contractor,
    t.due_on AS due_date, t.estimated_cost::text AS estimated_cost, t.last_completed_on, t.completion_count, t.created_by_id, b.email AS created_by, t.updated_at
FROM (SELECT ` + taskColumns + `, description, category_id, priority_id, frequency_id, recurrence, contractor_id, due_on, estimated_cost, last_completed_on,
        completion_count, created_by_id, updated_at FROM task_task WHERE id = $1) t
JOIN residence_residence h ON h.id = t.residence_id
LEFT JOIN auth_user u ON u.id = t.assigned_to_id LEFT JOIN auth_user b ON b.id = t.created_by_id
LEFT JOIN task_category c ON c.id = t.category_id LEFT JOIN task_priority p ON p.id = t.priority_id
LEFT JOIN task_frequency f ON f.id = t.frequency_id LEFT JOIN residence_contractor k ON k.id = t.contractor_id`

	selectHistory = `
SELECT c.id, c.kind, u.id AS person_id, u.email, c.completed_on, c.occurrence_on, c.actual_cost::text AS actual_cost, c.rating, c.notes, c.created_at
FROM task_taskcompletion c LEFT JOIN auth_user u ON u.id = CASE c.kind WHEN 'unassigned' THEN c.unassigned_id ELSE c.completed_by_id END
WHERE c.task_id = $1 ORDER BY c.id DESC LIMIT $2`
)

func (s *service) loadTask(ctx context.Context, text string) (taskDetail, error) {
	id, err := idOf(text)
	if err != nil {
		return taskDetail{}, err
	}
	var found taskDetail
	batch := &pgx.Batch{}
	batch.Queue(selectTask, id).Query(oneInto(&found.taskProfile))
	batch.Queue(selectHistory, id, partRows).Query(into(&found.History))
	err = s.DB.SendBatch(ctx, batch)
	if errors.Is(err, pgx.ErrNoRows) {
		return taskDetail{}, problem.NotFound()
	}
	if err != nil {
		return taskDetail{}, fmt.Errorf("look up task %d: %w", id, err)
	}
	return found, nil
}

func (s *service) viewTask(_ context.Context, t taskDetail) (view, error) {
	rhythm := optional(t.Frequency)
	if t.Recurrence != nil {
		rhythm = text(*t.Recurrence)
	}
	return view{
		Title: t.Title,
		Facts: []fact{
			{"Id", number(t.ID)},
			{"State", ofTask(t.State)},
			{"Home", linked(homes, &t.HomeID, t.Home)},
			{"Assigned to", personCell(t.AssignedToID, t.AssignedTo)},
			{"Due", day(t.NextDueDate)},
			{"Set to", day(t.DueDate)},
			{"Rhythm", rhythm},
			{"Category", optional(t.Category)},
			{"Priority", optional(t.Priority)},
			{"Contractor", optional(t.Contractor)},
			{"Estimated cost", optional(t.EstimatedCost)},
			{"Completed", number(t.CompletionCount)},
			{"Last completed", day(t.LastCompletedOn)},
			{"Made by", personCell(t.CreatedByID, t.CreatedBy)},
			{"Made", instant(&t.CreatedAt)},
			{"Changed", instant(&t.UpdatedAt)},
			{"Description", optional(t.Description)},
		},
		Parts: []part{partWith("History", t.History,
			column[happening]{"What", func(h happening) cell { return text(h.Kind) }},
			column[happening]{"Who", func(h happening) cell { return personCell(h.PersonID, h.Email) }},
			column[happening]{"On", func(h happening) cell { return day(&h.CompletedOn) }},
			column[happening]{"Was due", func(h happening) cell { return day(h.OccurrenceOn) }},
			column[happening]{"Cost", func(h happening) cell { return optional(h.ActualCost) }},
			column[happening]{"Rating", func(h happening) cell { return whole(h.Rating) }},
			column[happening]{"Notes", func(h happening) cell { return optional(h.Notes) }},
		)},
	}, nil
}
