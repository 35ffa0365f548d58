package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/honeydue/backend/tests/load"
	"github.com/honeydue/backend/tests/story"
)

// Sizes of the town. A home has so many people, in turn, and so many guests, who come and go.
const (
	homes      = 24
	guests     = 4
	tasksAHome = 40
)

var households = [...]int{1, 2, 2, 3, 4}

// No two who live in a home or visit it share a first name.
var firstNames = [...]string{"Robin", "Alex", "Kim", "Sam", "Toni", "Chris", "Jo", "Max"}

// A town is households and the system that they live with.
type town struct {
	at      *load.Site
	book    *book
	homes   []*household
	free    chan *household // those in which nobody does anything
	panel   *panel
	picture []byte
}

// A household is people who share a home, with all of it that was acknowledged to them. It does one thing at a time, so that it knows
// exactly what is there, whichever process answers; the town does many.
type household struct {
	*town

	id       int64
	people   []*person // the owner first
	guests   []*person
	staying  *person    // the guest who is there; nil: nobody
	left     *time.Time // when the guest who came last left; zero: not yet
	visits   int
	cabin    cabin
	album    *task   // the one for photos, which stays
	tasks    []*task // the album first, then the oldest
	gone     []*task
	changes  int      // of tasks
	papers   []*paper // the oldest first
	dropped  []*paper
	kept     []*paper // that stay
	written  int
	photos   []*photo
	accounts []*person // of newcomers, the oldest first
	departed []*person
	dead     []*story.Phone // with sessions that ended
}

// A person, with what they have beside the home.
type person struct {
	*story.Person

	name     string
	password string
	changes  int              // of the password
	joined   int              // homes, and
	sent     int              // photos, of both of which there is a limit
	devices  map[int64]string // names by ids
	sessions []*story.Phone   // beside the one that they live with
	given    []*task          // by others, ever
	quiet    int              // the hour at which they want their digest; 0: the usual one
	departed time.Time        // and their account with them; zero: never
}

// settleIn has people register, share homes and fill their boards. What follows is mailed to them: their addresses count as proved.
func settleIn(ctx context.Context, at *load.Site, b *book) (t *town, err error) {
	t = &town{at: at, book: b, free: make(chan *household, homes)}
	if _, err := at.DB.Exec(ctx, `ALTER TABLE auth_user ALTER COLUMN email_verified_at SET DEFAULT now()`); err != nil {
		return nil, fmt.Errorf("trust addresses: %w", err)
	}
	const width, height = 960, 720
	if t.picture, err = story.Shot(width, height); err != nil {
		return nil, err
	}
	if t.panel, err = openPanel(ctx, at); err != nil {
		return nil, err
	}
	for range homes {
		t.homes = append(t.homes, &household{town: t})
	}
	group, settling := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i, h := range t.homes {
		group.Go(func() error { return h.settle(settling, households[i%len(households)]) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, h := range t.homes {
		t.free <- h
	}
	return t, nil
}

func (h *household) settle(ctx context.Context, size int) error {
	for i := range size + guests {
		p, err := h.arrive(ctx, firstNames[i])
		if err != nil {
			return err
		}
		if i < size {
			h.people = append(h.people, p)
		} else {
			h.guests = append(h.guests, p)
		}
	}
	owner := h.people[0]
	var made struct{ ID int64 }
	home := map[string]any{"name": homeName, "residence_type": "house"}
	if err := h.book.ask(ctx, owner.Phone, post("/api/residences/", http.StatusCreated, home, &made)); err != nil {
		return err
	}
	h.id = made.ID
	for i, p := range h.people[1:] {
		if err := h.admit(ctx, h.id, p); err != nil {
			return err
		}
		h.tellOf(p, homeName, h.people[:1+i], nil)
	}
	for len(h.tasks) < tasksAHome {
		if err := h.create(ctx, owner); err != nil {
			return err
		}
	}
	h.album = h.tasks[0]
	return nil
}

const homeName = "Lake house"

// arrive has somebody make an account. Mails about what is done would be more than people get in an hour: nobody wants any.
func (h *household) arrive(ctx context.Context, name string) (*person, error) {
	who, err := story.Register(ctx, story.Patient(h.at.Phone)(), name)
	if err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	p := &person{Person: who, name: name, password: story.Password, devices: map[int64]string{}}
	h.book.owes(&due{to: p.Email, subject: "Confirm your email address", from: "auth", ended: &p.departed})
	quiet := map[string]any{"types": map[string]any{"task_completed": map[string]bool{"email": false}}}
	return p, h.book.ask(ctx, p.Phone, patch(preferences, quiet, nil))
}

// people are all who live in the town.
func (t *town) people() (all []*person) {
	for _, h := range t.homes {
		all = append(all, h.people...)
	}
	return all
}

// another is somebody else who lives there, or nil.
func (h *household) another(than *person) *person {
	for range 10 {
		if p := load.OneOf(h.people); p != than {
			return p
		}
	}
	return nil
}

// words are like no others.
func words(what string) string { return what + " " + rand.Text()[:10] }
