package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/problem"
)

// A fact is one line of the page of something.
type fact struct {
	Label string
	Cell  cell
}

// A part is a list on the page of something, cut to its first rows.
type part struct {
	Title string
	List  string // the collection whose list it is
	table
	More string // where all of it is
}

// AsTable is what the template of tables takes.
func (p part) AsTable() labelled { return labelled{p.table, p.Title} }

// A view is the page of one thing.
type view struct {
	Title string
	Facts []fact
	Parts []part
	Acts  []string // names of those that make sense now
}

// An item is the page and the call of the API for one of a collection.
type item interface {
	view(ctx context.Context, id string) (view, error)
	register(s *service, on huma.API)
}

// one is an item of type T, which the API answers with.
type one[T any] struct {
	Name    string // of its collection
	Summary string
	// Load returns problem.NotFound when there is none.
	Load func(ctx context.Context, id string) (T, error)
	View func(ctx context.Context, found T) (view, error)
}

func (o one[T]) view(ctx context.Context, id string) (view, error) {
	found, err := o.Load(ctx, id)
	if err != nil {
		return view{}, err
	}
	return o.View(ctx, found)
}

// ItemPath names one of a collection. It is read by Load: the same 404 answers what cannot be and what is not there.
type ItemPath struct {
	ID string `path:"id" maxLength:"100" example:"7"`
}

type itemOutput[T any] struct{ Body T }

func (o one[T]) register(s *service, on huma.API) {
	api.Handle(s.group(on), huma.Operation{
		Method: http.MethodGet, Path: "/api/admin/" + o.Name + "/{id}/", OperationID: "admin-get-" + o.Name, Tags: []string{"Admin"},
		Summary: o.Summary, Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *ItemPath) (*itemOutput[T], error) {
		found, err := o.Load(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return &itemOutput[T]{found}, nil
	})
}

// idOf reads an id out of a path.
func idOf(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 || strconv.FormatInt(id, 10) != text {
		return 0, problem.NotFound()
	}
	return id, nil
}

// partOf returns the first rows of a list as a part of a page.
func (s *service) partOf(ctx context.Context, name, collection string, id int64) (part, error) {
	const rows = 10
	found := s.resource(name)
	if found == nil {
		return part{}, fmt.Errorf("there is no list %s", name)
	}
	q := query{Of: collection, OfID: id, Limit: rows}
	t, err := found.listing.table(ctx, q)
	if err != nil {
		return part{}, err
	}
	p := part{Title: found.listing.head().Title, List: name, table: t}
	if t.Next != "" {
		p.More = "/" + name + "/?" + collection + "=" + strconv.FormatInt(id, 10)
	}
	return p, nil
}

// resource returns the one of that name, or nil.
func (s *service) resource(name string) *resource {
	for i := range s.resources {
		if s.resources[i].listing.name() == name {
			return &s.resources[i]
		}
	}
	return nil
}
