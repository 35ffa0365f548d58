package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"

	"github.com/honeydue/backend/tests/load"
	"github.com/honeydue/backend/tests/story"
)

// What one person asks for: less than they may, so that what is under way leaves it at that.
const (
	atATime   = 6  // of 10 addresses that may wait
	perPerson = 40 // of 50 in an hour
)

// phones ask for addresses, of which every second is not used in the end, and send files.
type phones struct {
	picture []byte

	room     load.Pool[*person] // once for each address that they may ask for
	toSend   chan addressed
	given    load.Pool[upload] // that are to be given up
	sent     load.Pool[upload] // whose files are in the bucket
	attached load.Pool[story.Photo]

	sending sync.WaitGroup
	mu      sync.Mutex
	err     error // of sending
}

type upload struct {
	by *person
	id int64
}

type addressed struct {
	upload
	to story.Address
}

// start has phones send what they get addresses for, two files at a time, until there are no more.
func (p *phones) start(ctx context.Context, people []*person) {
	p.toSend = make(chan addressed, atATime*len(people)) // there is no more room than that
	for range atATime {
		for _, by := range people {
			p.room.Put(by)
		}
	}
	for range 2 {
		p.sending.Go(func() {
			for a := range p.toSend {
				if err := a.to.Take(ctx, p.picture); err != nil {
					p.mu.Lock()
					p.err = errors.Join(p.err, err)
					p.mu.Unlock()
					continue
				}
				p.sent.Put(a.upload)
			}
		})
	}
}

// free says that an address of somebody's does not wait any more.
func (p *phones) free(by *person) {
	if by.asked.Load() < perPerson {
		p.room.Put(by)
	}
}

// presign asks for an address; where everybody has asked for as many as they may, for the state of an upload.
func (t *town) presign() load.Call {
	by, ok := t.room.Take()
	if !ok {
		return t.upload()
	}
	by.asked.Add(1)
	return load.Call{
		Name: "presign", Method: http.MethodPost, URL: "/api/uploads/presign/", As: by.Phone, Status: http.StatusCreated,
		Body: map[string]any{
			"category": "document_image", "content_type": "image/jpeg", "content_length": len(t.picture), "filename": "IMG_0001.jpg",
		},
		Check: func(_ http.Header, body []byte) error {
			to, err := load.Decode[story.Address](body)
			nowhere := to.UploadID == 0 || to.URL == "" || len(to.Fields)+len(to.Headers) == 0
			if err := load.Wrong(err, nowhere, "the address is none that a file can be sent to"); err != nil {
				return err
			}
			u := upload{by, to.UploadID}
			if rand.IntN(2) == 0 {
				t.given.Put(u)
			} else {
				t.toSend <- addressed{u, to}
			}
			return nil
		},
	}
}

// giveUp gives up an address that nobody wants any more, or asks for one.
func (t *town) giveUp() load.Call {
	u, ok := t.given.Take()
	if !ok {
		return t.presign()
	}
	return load.Call{
		Name: "give up", Method: http.MethodDelete, URL: fmt.Sprintf("/api/uploads/%d/", u.id), As: u.by.Phone, Status: http.StatusNoContent,
		Check: func(http.Header, []byte) error {
			t.free(u.by)
			return nil
		},
	}
}

// settle waits until the phones have sent their files, and until every photo that was attached is ready; and looks that the documents
// which nobody has deleted are there, as far as there is time for so many.
func (t *town) settle(ctx context.Context, _ *load.Site) error {
	close(t.toSend)
	t.sending.Wait()
	if t.err != nil {
		return t.err
	}
	const some = 500
	for range some {
		photo, ok := t.attached.Take()
		if !ok {
			break
		}
		if err := photo.Ready(ctx); err != nil {
			return err
		}
	}
	for range some {
		d, ok := t.made.Take()
		if !ok {
			break
		}
		if err := d.by.Read(ctx, fmt.Sprintf("/api/documents/%d/", d.id), nil); err != nil {
			return fmt.Errorf("a document is lost: %w", err)
		}
	}
	return nil
}
