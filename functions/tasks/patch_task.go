package main

import (
	"context"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/patch"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
	"github.com/honeydue/backend/shared/recur"
)

type patchTaskBody struct {
	Title         patch.Field[string]     `json:"title,omitempty" nullable:"false" minLength:"1" maxLength:"200" example:"Clean the gutters"`
	Description   patch.Field[string]     `json:"description,omitempty" maxLength:"5000" example:"Both sides, and look at the joints"`
	CategoryID    patch.Field[int64]      `json:"category_id,omitempty" minimum:"1" example:"11"`
	PriorityID    patch.Field[int64]      `json:"priority_id,omitempty" minimum:"1" example:"2"`
	FrequencyID   patch.Field[int64]      `json:"frequency_id,omitempty" minimum:"1" doc:"Takes the place of recurrence" example:"7"`
	Recurrence    patch.Field[recur.Rule] `json:"recurrence,omitempty" doc:"Takes the place of frequency_id"`
	DueDate       patch.Field[date.Date]  `json:"due_date,omitempty" format:"date" doc:"The one that stands changes nothing" example:"2026-10-31"`
	AssignedToID  patch.Field[int64]      `json:"assigned_to_id,omitempty" minimum:"1" doc:"A member of the home" example:"12"`
	ContractorID  patch.Field[int64]      `json:"contractor_id,omitempty" minimum:"1" doc:"A contractor of the home" example:"4"`
	TemplateID    patch.Field[int64]      `json:"template_id,omitempty" minimum:"1" example:"1101"`
	EstimatedCost patch.Field[string]     `json:"estimated_cost,omitempty" pattern:"^\\d{1,10}(\\.\\d{1,2})?$" example:"129.90"`
}

type patchTaskInput struct {
	ID   int64 `path:"id" minimum:"1" example:"7"`
	Body patchTaskBody
}

func (s *service) patchTask(ctx context.Context, in *patchTaskInput) (*taskOutput, error) {
	if in.Body.Title.Sent {
		if in.Body.Title.Value == nil {
			return nil, problem.Invalid("body.title", "expected a title")
		}
		trimmed, err := title("body.", *in.Body.Title.Value)
		if err != nil {
			return nil, err
		}
		in.Body.Title.Value = &trimmed
	}
	var err error
	if in.Body.Recurrence.Value, err = checkRule("body.", in.Body.Recurrence.Value, in.Body.FrequencyID.Value); err != nil {
		return nil, err
	}
	rhythms := &frequencies{}
	changed, err := s.changeTask(ctx, in.ID, func(tx *pg.Tx, access home.Access, now *held) error {
		assignee := now.AssignedToID
		if err := in.Body.apply(now, *rhythms); err != nil {
			return err
		}
		if same(assignee, now.AssignedToID) {
			return nil
		}
		if err := mayAssign("body.", access, now.AssignedToID); err != nil {
			return err
		}
		return s.tellAssignee(ctx, tx, now.row, authn.User(ctx).ID)
	}, rhythms)
	if err != nil {
		return nil, err
	}
	return &taskOutput{Body: s.show(ctx, changed)}, nil
}

// apply changes what was sent. A form that sends the due date back unchanged does not undo what was completed since.
func (b patchTaskBody) apply(t *held, rhythms frequencies) error {
	patch.Apply(b.Title.Value, &t.Title)
	b.Description.Apply(&t.Description)
	b.CategoryID.Apply(&t.CategoryID)
	b.PriorityID.Apply(&t.PriorityID)
	b.FrequencyID.Apply(&t.FrequencyID)
	b.Recurrence.Apply(&t.Recurrence)
	switch {
	case b.FrequencyID.Value != nil:
		t.Recurrence = nil
	case b.Recurrence.Value != nil:
		t.FrequencyID = nil
	}
	b.AssignedToID.Apply(&t.AssignedToID)
	b.ContractorID.Apply(&t.ContractorID)
	b.TemplateID.Apply(&t.TemplateID)
	b.EstimatedCost.Apply(&t.EstimatedCost)
	t.Every, t.Unit = rhythms.of(t.FrequencyID)
	done := t.CompletionCount > 0
	if b.DueDate.Sent && !same(b.DueDate.Value, t.DueOn) {
		if done && b.DueDate.Value == nil && t.NextDueOn != nil {
			return problem.Invalid("body.due_date", "expected a date: the task was completed before, and without one it counts as done")
		}
		t.DueOn, t.NextDueOn = b.DueDate.Value, b.DueDate.Value
	}
	if given := b.FrequencyID.Value != nil || b.Recurrence.Value != nil; given && done && t.NextDueOn == nil && t.LastCompletedOn != nil {
		t.NextDueOn = t.EndedOccurrence
		t.NextDueOn = t.following(recur.Completed, *t.LastCompletedOn)
	}
	return nil
}

// same returns whether both are absent or both are the same value.
func same[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
