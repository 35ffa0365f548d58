package main

import (
	"fmt"
	"net/http"

	"github.com/honeydue/backend/tests/load"
	"github.com/honeydue/backend/tests/story"
)

// create keeps a document without a file.
func (t *town) create() load.Call {
	by, h := t.anybody()
	return load.Call{
		Name: "create", Method: http.MethodPost, URL: "/api/documents/", As: by.Phone, Body: h.paper(), Header: load.Key(), Status: http.StatusCreated,
		Check: func(_ http.Header, body []byte) error { return t.keep(body, by) },
	}
}

// attach keeps a document with a photo that a phone has sent, or without one where none has.
func (t *town) attach() load.Call {
	u, ok := t.sent.Take()
	if !ok {
		return t.create()
	}
	return load.Call{
		Name: "create with a photo", Method: http.MethodPost, URL: "/api/documents/", As: u.by.Phone, Body: u.by.home.paper(u.id),
		Header: load.Key(), Status: http.StatusCreated,
		Check: func(_ http.Header, body []byte) error {
			t.free(u.by)
			photo := story.Photo{ID: u.id, By: u.by.Person}
			made, err := load.Decode[paper](body)
			if err := load.Wrong(err, !made.has(photo), "the document lacks its photo"); err != nil {
				return err
			}
			t.attached.Put(photo)
			return nil
		},
	}
}

// keep remembers a document without a photo, that may go again.
func (t *town) keep(body []byte, by *person) error {
	made, err := load.Decode[paper](body)
	if err := load.Wrong(err, made.ID == 0 || made.ResidenceID != by.home.id, "the document is not the one that was sent"); err != nil {
		return err
	}
	t.made.Put(filed{by, made.ID})
	return nil
}

// change writes what the home's document says already: other people look at it meanwhile.
func (t *town) change() load.Call {
	const noted = "Ten years on the tank, two on the rest. Ask for the younger Marsh."
	by, h := t.anybody()
	return load.Call{
		Name: "change", Method: http.MethodPatch, URL: h.path(), As: by.Phone, Body: map[string]any{"description": noted}, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			changed, err := load.Decode[paper](body)
			return load.Wrong(err, changed.ID != h.document || changed.Description != noted, "the document is another one, or was not changed")
		},
	}
}

// remove throws away a document that somebody has made since.
func (t *town) remove() load.Call {
	d, ok := t.made.Take()
	if !ok {
		return t.create()
	}
	return load.Call{
		Name: "delete", Method: http.MethodDelete, URL: fmt.Sprintf("/api/documents/%d/", d.id), As: d.by.Phone, Status: http.StatusNoContent,
	}
}
