package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/board"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/idempotency"
	"github.com/honeydue/backend/shared/patch"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
	"github.com/honeydue/backend/shared/recur"
)

// NewTask is what people say of a task that is to be.
type NewTask struct {
	Title         string                  `json:"title" minLength:"1" maxLength:"200" example:"Clean the gutters"`
	Description   *string                 `json:"description,omitempty" nullable:"true" maxLength:"5000" example:"Both sides, and look at the joints"`
	CategoryID    *int64                  `json:"category_id,omitempty" nullable:"true" minimum:"1" example:"11"`
	PriorityID    *int64                  `json:"priority_id,omitempty" nullable:"true" minimum:"1" example:"2"`
	FrequencyID   *int64                  `json:"frequency_id,omitempty" nullable:"true" minimum:"1" doc:"A rhythm of the list. Without one and without recurrence it is done once" example:"7"`
	Recurrence    patch.Field[recur.Rule] `json:"recurrence,omitempty" doc:"A rhythm in full, in place of frequency_id"`
	DueDate       *date.Date              `json:"due_date,omitempty" nullable:"true" format:"date" example:"2026-10-31"`
	AssignedToID  *int64                  `json:"assigned_to_id,omitempty" nullable:"true" minimum:"1" doc:"A member of the home" example:"12"`
	ContractorID  *int64                  `json:"contractor_id,omitempty" nullable:"true" minimum:"1" doc:"A contractor of the home" example:"4"`
	TemplateID    *int64                  `json:"template_id,omitempty" nullable:"true" minimum:"1" doc:"The template that it is made from" example:"1101"`
	EstimatedCost *string                 `json:"estimated_cost,omitempty" nullable:"true" pattern:"^\\d{1,10}(\\.\\d{1,2})?$" example:"129.90"`
}

type createTaskInput struct {
	idempotency.Header
	Body struct {
		ResidenceID int64 `json:"residence_id" minimum:"1" example:"3"`
		NewTask
	}
}

const insertTask = `
INSERT INTO task_task AS t (residence_id, title, description, category_id, priority_id, frequency_id, recurrence, due_on, next_due_on,
    assigned_to_id, contractor_id, template_id, estimated_cost, created_by_id)
VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8::date, $8::date, $9, $10, $11, $12::numeric, $13)
RETURNING ` + columns

func (s *service) createTask(ctx context.Context, in *createTaskInput) (*idempotency.Answer[task], error) {
	me := authn.User(ctx).ID
	guard, err := idempotency.New(me, "/api/tasks/", in.Header, in.Body)
	if err != nil {
		return nil, err
	}
	body := in.Body
	if err := body.tidy("body."); err != nil {
		return nil, err
	}
	var made task
	err = s.Homes.Change(ctx, guard, s.workIn(body.ResidenceID), func(tx *pg.Tx, access home.Access) error {
		inserted, err := s.insertTasks(ctx, tx, access, []NewTask{body.NewTask}, func(int) string { return "body." })
		if err != nil {
			return err
		}
		made = s.show(ctx, inserted[0])
		return guard.Keep(tx, http.StatusCreated, made)
	})
	if err != nil {
		return nil, fmt.Errorf("create task: %w", err)
	}
	return idempotency.Reply(guard, made)
}

// workIn returns a look at a home that refuses whoever may not work there.
func (s *service) workIn(residence int64) func(ctx context.Context) (home.Access, error) {
	return func(ctx context.Context) (home.Access, error) {
		return home.OfWorker(ctx, s.DB, authn.User(ctx).ID, residence)
	}
}

// tidy trims what was typed, completes the recurrence and refuses what cannot be. at is the path of the task in the body,
// with its last dot.
func (n *NewTask) tidy(at string) (err error) {
	if n.Title, err = title(at, n.Title); err != nil {
		return err
	}
	n.Recurrence.Value, err = checkRule(at, n.Recurrence.Value, n.FrequencyID)
	return err
}

// args are those of insertTask.
func (n *NewTask) args(residence, creator int64) ([]any, error) {
	rule, err := ruleText(n.Recurrence.Value)
	if err != nil {
		return nil, err
	}
	return []any{
		residence, n.Title, n.Description, n.CategoryID, n.PriorityID, n.FrequencyID, rule, n.DueDate,
		n.AssignedToID, n.ContractorID, n.TemplateID, n.EstimatedCost, creator,
	}, nil
}

// title returns a title without the space around it, of which something must be left.
func title(at, given string) (string, error) {
	trimmed := strings.TrimSpace(given)
	if trimmed == "" {
		return "", problem.Invalid(at+"title", "expected a title that is not blank")
	}
	return trimmed, nil
}

// mayAssign refuses whoever does not belong to the home, in the same words whether or not there is such a person.
func mayAssign(at string, access home.Access, person *int64) error {
	if person != nil && !slices.Contains(access.Members, *person) {
		return problem.Invalid(at+"assigned_to_id", "expected a member of the home")
	}
	return nil
}

// tellAssignee appends the event that a task was given to someone, but not to the one who did so.
func (s *service) tellAssignee(ctx context.Context, tx *pg.Tx, t row, actor int64) error {
	if t.AssignedToID == nil || *t.AssignedToID == actor {
		return nil
	}
	return s.Outbox.Append(ctx, tx, events.TaskAssigned{TaskID: t.ID, ResidenceID: t.ResidenceID, AssigneeID: *t.AssignedToID, ActorID: actor})
}

// show returns a task as its caller sees it today, outside of any board.
func (s *service) show(ctx context.Context, r row) task {
	return r.task(authn.Today(ctx, s.Now()), board.DefaultThreshold)
}
