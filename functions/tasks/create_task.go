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
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

type createTaskInput struct {
	idempotency.Header
	Body struct {
		ResidenceID   int64      `json:"residence_id" minimum:"1" example:"3"`
		Title         string     `json:"title" minLength:"1" maxLength:"200" example:"Clean the gutters"`
		Description   *string    `json:"description,omitempty" nullable:"true" maxLength:"5000" example:"Both sides, and look at the joints"`
		CategoryID    *int64     `json:"category_id,omitempty" nullable:"true" minimum:"1" example:"11"`
		PriorityID    *int64     `json:"priority_id,omitempty" nullable:"true" minimum:"1" example:"2"`
		FrequencyID   *int64     `json:"frequency_id,omitempty" nullable:"true" minimum:"1" doc:"Without one it is done once" example:"7"`
		DueDate       *date.Date `json:"due_date,omitempty" nullable:"true" format:"date" example:"2026-10-31"`
		AssignedToID  *int64     `json:"assigned_to_id,omitempty" nullable:"true" minimum:"1" doc:"A member of the home" example:"12"`
		EstimatedCost *string    `json:"estimated_cost,omitempty" nullable:"true" pattern:"^\\d{1,10}(\\.\\d{1,2})?$" example:"129.90"`
	}
}

const insertTask = `
INSERT INTO task_task AS t (residence_id, title, description, category_id, priority_id, frequency_id, due_on, next_due_on,
    assigned_to_id, estimated_cost, created_by_id)
VALUES ($1, $2, $3, $4, $5, $6, $7::date, $7::date, $8, $9::numeric, $10)
RETURNING ` + columns

func (s *service) createTask(ctx context.Context, in *createTaskInput) (*idempotency.Answer[task], error) {
	me := authn.User(ctx).ID
	guard, err := idempotency.New(me, "/api/tasks/", in.Header, in.Body)
	if err != nil {
		return nil, err
	}
	body := in.Body
	if body.Title, err = title(body.Title); err != nil {
		return nil, err
	}
	var made task
	look := func(ctx context.Context) (home.Access, error) {
		access, err := home.Of(ctx, s.DB, me, body.ResidenceID)
		if err != nil {
			return home.Access{}, err
		}
		return access, access.MayWork()
	}
	err = s.Homes.Change(ctx, guard, look, func(tx *pg.Tx, access home.Access) error {
		if err := mayAssign(access, body.AssignedToID); err != nil {
			return err
		}
		inserted, err := pg.One[row](ctx, tx, insertTask, body.ResidenceID, body.Title, body.Description, body.CategoryID,
			body.PriorityID, body.FrequencyID, body.DueDate, body.AssignedToID, body.EstimatedCost, me)
		if err != nil {
			return refusedReference(err)
		}
		if err := s.tellAssignee(ctx, tx, inserted, me); err != nil {
			return err
		}
		made = s.show(ctx, inserted)
		return guard.Keep(tx, http.StatusCreated, made)
	})
	if err != nil {
		return nil, fmt.Errorf("create task: %w", err)
	}
	return idempotency.Reply(guard, made)
}

// title returns a title without the space around it, of which something must be left.
func title(given string) (string, error) {
	trimmed := strings.TrimSpace(given)
	if trimmed == "" {
		return "", problem.Invalid("body.title", "expected a title that is not blank")
	}
	return trimmed, nil
}

// mayAssign refuses whoever does not belong to the home, in the same words whether or not there is such a person.
func mayAssign(access home.Access, person *int64) error {
	if person != nil && !slices.Contains(access.Members, *person) {
		return problem.Invalid("body.assigned_to_id", "expected a member of the home")
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
