// Command uploads loads function uploads as people do who look through what their home keeps: mostly photos and papers that are there,
// now and then a new one, which their phones send to the bucket themselves.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/honeydue/backend/tests/load"
	"github.com/honeydue/backend/tests/story"
)

func main() {
	t := &town{}
	load.Main(load.Test{Function: "uploads", Rate: 150, P99: 80 * time.Millisecond, Mix: t.mix, Settle: t.settle})
}

func (t *town) mix(ctx context.Context, at *load.Site) (func() load.Call, error) {
	if err := t.build(ctx, at); err != nil {
		return nil, err
	}
	return load.Mixed(
		load.Share{Weight: 24, Call: func() load.Call { return t.look("thumb") }},
		load.Share{Weight: 12, Call: func() load.Call { return t.look("clean") }},
		load.Share{Weight: 2, Call: t.lookFromOutside},
		load.Share{Weight: 16, Call: t.list},
		load.Share{Weight: 5, Call: t.expiring},
		load.Share{Weight: 10, Call: t.document},
		load.Share{Weight: 6, Call: t.upload},
		load.Share{Weight: 6, Call: t.presign},
		load.Share{Weight: 4, Call: t.giveUp},
		load.Share{Weight: 4, Call: t.attach},
		load.Share{Weight: 4, Call: t.create},
		load.Share{Weight: 4, Call: t.change},
		load.Share{Weight: 3, Call: t.remove},
	), nil
}

// anybody draws a person and their home.
func (t *town) anybody() (*person, *home) {
	by := load.OneOf(t.people)
	return by, by.home
}

// look asks where a photo is, whole or small.
func (t *town) look(part string) load.Call {
	by, h := t.anybody()
	name, path := "photo", fmt.Sprintf("/api/media/%d/", h.photo.ID)
	if part == "thumb" {
		name, path = "thumbnail", path+"?size=thumb"
	}
	return load.Call{
		Name: name, Method: http.MethodGet, URL: path, As: by.Phone, Status: http.StatusFound,
		Check: func(header http.Header, _ []byte) error {
			address, err := url.Parse(header.Get("Location"))
			if err != nil || !strings.HasSuffix(address.Path, "/"+part) || address.Query().Get("X-Amz-Signature") == "" {
				return errors.New("the address is not a signed one of that photo")
			}
			return nil
		},
	}
}

// lookFromOutside is a stranger's look.
func (t *town) lookFromOutside() load.Call {
	by, h := t.anybody()
	for stranger := load.OneOf(t.homes); ; stranger = load.OneOf(t.homes) {
		if stranger != h {
			return load.Call{
				Name: "photo, as a stranger", Method: http.MethodGet, URL: fmt.Sprintf("/api/media/%d/", stranger.photo.ID),
				As: by.Phone, Status: http.StatusNotFound,
			}
		}
	}
}

// A paper is a document as the API answers it.
type paper struct {
	ID          int64
	ResidenceID int64 `json:"residence_id"`
	Title       string
	Description string
	Files       []struct{ ID int64 }
}

func (p paper) has(photo story.Photo) bool {
	return slices.ContainsFunc(p.Files, func(f struct{ ID int64 }) bool { return f.ID == photo.ID })
}

func (t *town) list() load.Call {
	by, h := t.anybody()
	return load.Call{
		Name: "documents", Method: http.MethodGet, URL: "/api/documents/?limit=20", As: by.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error { return checkList(body, h) },
	}
}

// expiring asks for what has a warranty that ends soon.
func (t *town) expiring() load.Call {
	by, h := t.anybody()
	return load.Call{
		Name: "expiring documents", Method: http.MethodGet, URL: fmt.Sprintf("/api/documents/?residence_id=%d&expiring_within_days=60", h.id),
		As: by.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error { return checkList(body, h) },
	}
}

// checkList looks for papers of strangers, and for none: the home has kept some since it was made.
func checkList(body []byte, h *home) error {
	found, err := load.Decode[struct{ Results []paper }](body)
	if err != nil {
		return err
	}
	if len(found.Results) == 0 {
		return errors.New("the list is empty")
	}
	for _, d := range found.Results {
		if d.ResidenceID != h.id {
			return errors.New("the list shows a stranger's document")
		}
	}
	return nil
}

// document reads the one with the photo.
func (t *town) document() load.Call {
	by, h := t.anybody()
	return load.Call{
		Name: "document", Method: http.MethodGet, URL: h.path(), As: by.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			found, err := load.Decode[paper](body)
			return load.Wrong(err, found.ID != h.document || !found.has(h.photo), "the document is another one, or has lost its photo")
		},
	}
}

// upload asks how far the photo is, as whoever sent it.
func (t *town) upload() load.Call {
	_, h := t.anybody()
	return load.Call{
		Name: "state of an upload", Method: http.MethodGet, URL: fmt.Sprintf("/api/uploads/%d/", h.photo.ID), As: h.photo.By.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			found, err := load.Decode[struct {
				ID    int64
				State string
			}](body)
			return load.Wrong(err, found.ID != h.photo.ID || found.State != "ready", "the upload is another one, or not ready any more")
		},
	}
}
