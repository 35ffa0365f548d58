package main

import (
	"time"

	"github.com/honeydue/backend/shared/board"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/recur"
)

// A task as the app sees it.
type task struct {
	ID              int64      `json:"id" example:"7"`
	ResidenceID     int64      `json:"residence_id" example:"3"`
	Title           string     `json:"title" example:"Clean the gutters"`
	Description     *string    `json:"description" example:"Both sides, and look at the joints"`
	CategoryID      *int64     `json:"category_id" example:"11"`
	PriorityID      *int64     `json:"priority_id" example:"2"`
	FrequencyID     *int64     `json:"frequency_id" doc:"A rhythm of the list, unless recurrence says it in full" example:"7"`
	Recurrence      shownRule  `json:"recurrence"`
	DueDate         *date.Date `json:"due_date" format:"date" doc:"The date that people set; a rhythm counts from it" example:"2026-10-31"`
	NextDueDate     *date.Date `json:"next_due_date" format:"date" doc:"The date that is due now; null when none is" example:"2027-04-30"`
	AssignedToID    *int64     `json:"assigned_to_id" example:"12"`
	ContractorID    *int64     `json:"contractor_id" example:"4"`
	TemplateID      *int64     `json:"template_id" doc:"The template that it was made from" example:"1101"`
	EstimatedCost   *string    `json:"estimated_cost" example:"129.90"`
	KanbanColumn    place      `json:"kanban_column" example:"upcoming_tasks" doc:"Where the task stands; null while it is cancelled or archived"`
	ButtonTypes     []string   `json:"button_types" nullable:"false" enum:"edit,complete,cancel,mark_in_progress,view,uncancel,unarchive" doc:"What the app offers to do with it" example:"[\"edit\",\"complete\",\"cancel\",\"mark_in_progress\"]"`
	IsCancelled     bool       `json:"is_cancelled"`
	IsArchived      bool       `json:"is_archived"`
	InProgress      bool       `json:"in_progress"`
	LastCompletedOn *date.Date `json:"last_completed_on" format:"date" example:"2026-10-29"`
	CompletionCount int        `json:"completion_count" example:"1"`
	CreatedByID     *int64     `json:"created_by_id" example:"12"`
	CreatedAt       time.Time  `json:"created_at"`
	UpdatedAt       time.Time  `json:"updated_at"`
}

// A row of task_task. DueOn is the date that people set, NextDueOn the one that is due now.
type row struct {
	ID              int64
	ResidenceID     int64
	Title           string
	Description     *string
	CategoryID      *int64
	PriorityID      *int64
	FrequencyID     *int64
	Recurrence      *recur.Rule
	DueOn           *date.Date
	NextDueOn       *date.Date
	AssignedToID    *int64
	ContractorID    *int64
	TemplateID      *int64
	EstimatedCost   *string
	InProgress      bool
	IsCancelled     bool
	IsArchived      bool
	LastCompletedOn *date.Date
	CompletionCount int
	CreatedByID     *int64
	CreatedAt       time.Time
	UpdatedAt       time.Time
}

// columns reads a row from task_task under the alias t.
const columns = `t.id, t.residence_id, t.title, t.description, t.category_id, t.priority_id, t.frequency_id, t.recurrence, t.due_on, t.next_due_on,
    t.assigned_to_id, t.contractor_id, t.template_id, t.estimated_cost::text AS estimated_cost, t.in_progress, t.is_cancelled, t.is_archived, t.last_completed_on,
    t.completion_count, t.created_by_id, t.created_at, t.updated_at`

// fields are where the columns go, in their order.
func (r *row) fields() []any {
	return []any{
		&r.ID, &r.ResidenceID, &r.Title, &r.Description, &r.CategoryID, &r.PriorityID, &r.FrequencyID, &r.Recurrence, &r.DueOn, &r.NextDueOn,
		&r.AssignedToID, &r.ContractorID, &r.TemplateID, &r.EstimatedCost, &r.InProgress, &r.IsCancelled, &r.IsArchived, &r.LastCompletedOn,
		&r.CompletionCount, &r.CreatedByID, &r.CreatedAt, &r.UpdatedAt,
	}
}

// column returns where the task stands for someone whose date is today.
func (r row) column(today date.Date, threshold int) board.Column {
	return board.Of(board.State{
		NextDueOn: r.NextDueOn, CompletionCount: r.CompletionCount,
		InProgress: r.InProgress, IsCancelled: r.IsCancelled, IsArchived: r.IsArchived,
	}, today, threshold)
}

// task returns what the app sees on its date today.
func (r row) task(today date.Date, threshold int) task {
	column := r.column(today, threshold)
	return task{
		ID: r.ID, ResidenceID: r.ResidenceID, Title: r.Title, Description: r.Description,
		CategoryID: r.CategoryID, PriorityID: r.PriorityID, FrequencyID: r.FrequencyID, Recurrence: shownRule{r.Recurrence},
		DueDate: r.DueOn, NextDueDate: r.NextDueOn, AssignedToID: r.AssignedToID, ContractorID: r.ContractorID, TemplateID: r.TemplateID,
		EstimatedCost: r.EstimatedCost,
		KanbanColumn:  place(column), ButtonTypes: r.buttons(column),
		IsCancelled: r.IsCancelled, IsArchived: r.IsArchived, InProgress: r.InProgress,
		LastCompletedOn: r.LastCompletedOn, CompletionCount: r.CompletionCount,
		CreatedByID: r.CreatedByID, CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(),
	}
}

// buttons returns what the app offers. For a task that no board shows that is what brings it back.
func (r row) buttons(column board.Column) []string {
	if column != board.Hidden {
		return board.Buttons(column)
	}
	buttons := []string{}
	if r.IsCancelled {
		buttons = append(buttons, "uncancel")
	}
	if r.IsArchived {
		buttons = append(buttons, "unarchive")
	}
	return buttons
}
