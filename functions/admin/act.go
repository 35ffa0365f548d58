package main

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/problem"
)

// An act is something that an operator does to one of a collection. It asks before, and writes the audit log in the transaction of what
// it does.
type act struct {
	Name    string // its path: /people/7/disable/
	Title   string // on its button
	Asks    string // what the operator is asked, with what will happen
	Danger  bool   // it cannot be taken back
	Choices []choice
	// Do does it, in a transaction in which it records who did it, and returns what it recorded. problem.NotFound: there is no such
	// subject; problem.Conflict: there is nothing to do.
	Do func(ctx context.Context, in acting) (entry, error)
}

// A choice is something that an act has to be told.
type choice struct {
	Name    string   // of the field
	Label   string   // on the page
	Options []string // one of which it is; empty: an id
}

// acting is an act on its way.
type acting struct {
	ID     string            // of the subject, as the path names it
	Chosen map[string]string // what was chosen, by the name of the choice
}

// check refuses what an act was not asked to be told, and what it was not told.
func (a act) check(chosen map[string]string) error {
	for _, c := range a.Choices {
		value := chosen[c.Name]
		if len(c.Options) > 0 && !slices.Contains(c.Options, value) {
			return problem.Invalid("body."+c.Name, "expected one of those that the call names")
		}
		if len(c.Options) == 0 {
			if _, err := idOf(value); err != nil {
				return problem.Invalid("body."+c.Name, "expected an id")
			}
		}
	}
	return nil
}

// perform runs the act for whoever calls.
func (a act) perform(ctx context.Context, in acting) (entry, error) {
	if err := operatorOf(ctx).mayAct(); err != nil {
		return entry{}, err
	}
	if err := a.check(in.Chosen); err != nil {
		return entry{}, err
	}
	return a.Do(ctx, in)
}

// What the API takes and answers.
type (
	plainAct struct{ ItemPath }
	roleAct  struct {
		ItemPath
		Body struct {
			Role string `json:"role" enum:"admin,support" example:"support"`
		}
	}
	memberAct struct {
		ItemPath
		Body struct {
			Role string `json:"role" enum:"member,viewer" example:"viewer"`
			Home string `json:"home" pattern:"^[1-9][0-9]{0,18}$" patternDescription:"an id" doc:"Id of the home" example:"3"`
		}
	}
	actOutput struct{ Body record }
	record    struct {
		Act     string `json:"act" doc:"What was done" example:"disable"`
		Subject string `json:"subject" doc:"To what" example:"people/7"`
		Before  any    `json:"before" doc:"What was, as the audit log has it; null for what was not there"`
		After   any    `json:"after" doc:"What is now"`
	}
)

// register adds the call of the API.
func (a act) register(s *service, on huma.API, collection string) {
	op := huma.Operation{
		Method: http.MethodPost, Path: "/api/admin/" + collection + "/{id}/" + a.Name + "/", OperationID: "admin-" + a.Name + "-" + collection,
		Tags: []string{"Admin"}, Summary: a.Title, Description: a.Asks + " Only for the role admin; the audit log keeps who did it.",
		Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
	}
	group := s.group(on)
	do := func(ctx context.Context, id string, chosen map[string]string) (*actOutput, error) {
		done, err := a.perform(ctx, acting{ID: id, Chosen: chosen})
		if err != nil {
			return nil, err
		}
		return &actOutput{record(done)}, nil
	}
	switch len(a.Choices) {
	case 0:
		api.Handle(group, op, func(ctx context.Context, in *plainAct) (*actOutput, error) { return do(ctx, in.ID, nil) })
	case 1:
		api.Handle(group, op, func(ctx context.Context, in *roleAct) (*actOutput, error) {
			return do(ctx, in.ID, map[string]string{"role": in.Body.Role})
		})
	default:
		api.Handle(group, op, func(ctx context.Context, in *memberAct) (*actOutput, error) {
			return do(ctx, in.ID, map[string]string{"role": in.Body.Role, "home": in.Body.Home})
		})
	}
}
