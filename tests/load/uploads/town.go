package main

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/honeydue/backend/tests/load"
	"github.com/honeydue/backend/tests/story"
)

// A home is one of two people, with a document and a photo of it.
type home struct {
	id       int64
	document int64
	photo    story.Photo
}

func (h *home) path() string { return fmt.Sprintf("/api/documents/%d/", h.document) }

// A person may ask for so many addresses in an hour.
type person struct {
	*story.Person

	home  *home
	asked atomic.Int32
}

// A town is people with their homes, and what their phones have under way.
type town struct {
	phones

	homes  []*home
	people []*person
	made   load.Pool[filed] // documents that may go again
}

// filed is a document and one who keeps it.
type filed struct {
	by *person
	id int64
}

// How many homes there are: enough people for the addresses that are asked for within the hour, as far as the load's length allows.
const (
	fewestHomes = 12
	mostHomes   = 250
	presigns    = 0.1 // of all requests, at most
)

// build makes homes with their photos, which takes as long as cleaning them does.
func (t *town) build(ctx context.Context, at *load.Site) error {
	var err error
	if t.picture, err = story.Shot(960, 720); err != nil {
		return err
	}
	wanted := int(presigns * float64(at.Requests()) / (2 * perPerson))
	t.homes = make([]*home, min(max(wanted+1, fewestHomes), mostHomes))
	people := make([][2]*person, len(t.homes))
	group, making := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i := range t.homes {
		group.Go(func() (err error) {
			t.homes[i], people[i], err = t.moveIn(making, at)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, pair := range people {
		t.people = append(t.people, pair[:]...)
	}
	for _, h := range t.homes {
		if err := h.photo.Ready(ctx); err != nil {
			return err
		}
	}
	t.start(ctx, t.people)
	return nil
}

// moveIn makes a home of two people, of whom the first keeps a document with a photo.
func (t *town) moveIn(ctx context.Context, at *load.Site) (h *home, people [2]*person, err error) {
	h = &home{}
	for i := range people {
		by, err := story.Register(ctx, at.Phone(), "Vera")
		if err != nil {
			return nil, people, fmt.Errorf("register: %w", err)
		}
		people[i] = &person{Person: by, home: h}
	}
	owner := people[0]
	if h.id, err = story.Share(ctx, owner.Person, people[1].Person); err != nil {
		return nil, people, err
	}
	id, err := owner.Send(ctx, story.Picture("document_image", t.picture))
	if err != nil {
		return nil, people, err
	}
	h.photo = story.Photo{ID: id, By: owner.Person}
	var made struct{ ID int64 }
	if err := owner.Create(ctx, "/api/documents/", http.StatusCreated, h.paper(id), &made); err != nil {
		return nil, people, err
	}
	h.document = made.ID
	return h, people, nil
}

// paper is what a person sends to keep one.
func (h *home) paper(uploads ...int64) map[string]any {
	return map[string]any{
		"residence_id": h.id, "title": "Water heater warranty", "document_type": "warranty", "vendor": "Marsh & Daughters",
		"description": "Ten years on the tank, two on the rest; the receipt is in the drawer of the hall.", "purchase_price": "849.00",
		"warranty_expires_on": story.Day(30), "upload_ids": uploads,
	}
}
