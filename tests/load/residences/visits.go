package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/honeydue/backend/tests/load"
	"github.com/honeydue/backend/tests/story"
)

// Homes that have guests, guests of each, and how often one may join homes within an hour.
const (
	openHomes    = 6
	guestsOfHome = 12
	joinsOfGuest = 10
)

// A visit is what goes on at the door of a home: its owner makes a code, a guest joins with it, looks, leaves, and then sees the home
// no more. One step follows on the answer to the one before. When its guests have joined as often as they may, nobody comes any more.
type visit struct {
	home   *load.Home
	guests []*story.Person
	joined int
	code   string
	next   func(v *visit) load.Call
}

// invite registers the guests.
func (p *people) invite(ctx context.Context, at *load.Site) (err error) {
	for _, home := range p.Homes[:openHomes] {
		v := &visit{home: home, guests: make([]*story.Person, guestsOfHome), next: p.share}
		for i := range v.guests {
			if v.guests[i], err = story.Register(ctx, at.Phone(), "Gus"); err != nil {
				return fmt.Errorf("register guest: %w", err)
			}
			p.guests[home.ID] = append(p.guests[home.ID], v.guests[i].ID)
		}
		p.visits.Put(v)
	}
	return nil
}

func isPerson(id int64) func(*story.Person) bool {
	return func(p *story.Person) bool { return p.ID == id }
}

// visit is the next step of the visit that has waited longest. While every step is under way, somebody looks at their home.
func (p *people) visit() load.Call {
	v, ok := p.visits.Take()
	if !ok {
		return p.home()
	}
	return v.next(v)
}

// then leaves the visit to its next step.
func (p *people) then(v *visit, next func(v *visit) load.Call) {
	v.next = next
	p.visits.Put(v)
}

func (v *visit) guest() *story.Person { return v.guests[v.joined%len(v.guests)] }

func (p *people) share(v *visit) load.Call {
	return load.Call{
		Name: "share", Method: http.MethodPost, URL: at(v.home) + "share/", As: v.home.People[0].Phone, Body: map[string]int{"expires_in_hours": 1}, Status: http.StatusCreated,
		Check: func(_ http.Header, body []byte) error {
			made, err := load.Decode[struct {
				Code      string
				ExpiresAt time.Time `json:"expires_at"`
			}](body)
			if err := load.Wrong(err, len(made.Code) != 8 || !made.ExpiresAt.After(time.Now()), "the code is none that lives"); err != nil {
				return err
			}
			v.code = made.Code
			p.then(v, p.join)
			return nil
		},
	}
}

func (p *people) join(v *visit) load.Call {
	return load.Call{
		Name: "join", Method: http.MethodPost, URL: "/api/residences/join/", As: v.guest().Phone, Body: map[string]string{"code": v.code}, Header: load.Key(), Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			if err := isHome(body, v.home, "member"); err != nil {
				return err
			}
			p.then(v, p.look)
			return nil
		},
	}
}

func (p *people) look(v *visit) load.Call {
	return load.Call{
		Name: "guest's homes", Method: http.MethodGet, URL: "/api/residences/my/", As: v.guest().Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			list, err := load.Decode[struct{ Results []residence }](body)
			if err := load.Wrong(err, len(list.Results) != 1 || list.Results[0].ID != v.home.ID, "the guest's homes are not the one that they joined"); err != nil {
				return err
			}
			p.then(v, p.leave)
			return nil
		},
	}
}

func (p *people) leave(v *visit) load.Call {
	return load.Call{
		Name: "leave", Method: http.MethodDelete, URL: fmt.Sprintf("%susers/%d/", at(v.home), v.guest().ID), As: v.guest().Phone, Status: http.StatusNoContent,
		Check: func(http.Header, []byte) error {
			p.then(v, p.lookBack)
			return nil
		},
	}
}

func (p *people) lookBack(v *visit) load.Call {
	return load.Call{
		Name: "home that was left", Method: http.MethodGet, URL: at(v.home), As: v.guest().Phone, Status: http.StatusNotFound,
		Check: func(header http.Header, _ []byte) error {
			if header.Get("Content-Type") != "application/problem+json" {
				return errors.New("the refusal is no problem document")
			}
			if v.joined++; v.joined < joinsOfGuest*len(v.guests) {
				p.then(v, p.share)
			}
			return nil
		},
	}
}
