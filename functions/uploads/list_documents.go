package main

import (
	"context"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/page"
	"github.com/honeydue/backend/shared/search"
)

type listDocumentsInput struct {
	page.Query
	ResidenceID  int64        `query:"residence_id" minimum:"1" doc:"Only those of this home" example:"3"`
	TaskID       int64        `query:"task_id" minimum:"1" doc:"Only those about this task" example:"7"`
	ContractorID int64        `query:"contractor_id" minimum:"1" doc:"Only those about this contractor" example:"5"`
	Type         DocumentType `query:"type" doc:"Only those of this type" example:"warranty"`
	Within       days         `query:"expiring_within_days" minimum:"0" maximum:"3650" doc:"Only those whose warranty ends in so many days, the caller's today included" example:"30"`
	Search       string       `query:"search" maxLength:"200" doc:"Only those with all these words in title, description, vendor, serial and model number, in any case" example:"heater"`
}

// days are a number of days, 0 included, or nothing.
type days struct {
	n    int
	sent bool
}

// Schema is that of a number.
func (days) Schema(r huma.Registry) *huma.Schema {
	return huma.SchemaFromType(r, reflect.TypeFor[int]())
}

// Receiver is where the number goes.
func (d *days) Receiver() reflect.Value { return reflect.ValueOf(&d.n).Elem() }

// OnParamSet keeps whether there was one.
func (d *days) OnParamSet(sent bool, _ any) { d.sent = sent }

type listDocumentsOutput struct{ Body page.List[Document] }

// What the caller may not see is not in the list: a foreign filter gives an empty one.
func (s *service) listDocuments(ctx context.Context, in *listDocumentsInput) (*listDocumentsOutput, error) {
	before, err := in.After()
	if err != nil {
		return nil, err
	}
	chosen := choice{residence: in.ResidenceID, task: in.TaskID, contractor: in.ContractorID, kind: in.Type}
	if chosen.patterns, err = search.Patterns("search", in.Search); err != nil {
		return nil, err
	}
	if in.Within.sent {
		today := authn.Today(ctx, s.Now())
		last := today.AddDays(in.Within.n)
		chosen.from, chosen.until = &today, &last
	}
	found, err := documents(ctx, s.DB, authn.User(ctx).ID, before, in.Limit+1, chosen)
	if err != nil {
		return nil, err
	}
	return &listDocumentsOutput{page.Of(found, in.Limit, func(d Document) int64 { return d.ID })}, nil
}
