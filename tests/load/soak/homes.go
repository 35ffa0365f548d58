package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// A cabin is a further home of the owner's, which is made, shared, left and deleted, one step at a time.
type cabin struct {
	id   int64 // 0: there is none
	name string
	with *person
	left bool
	over *time.Time // when with left; zero: not yet
	gone []int64
}

// joinsAnHour is how often somebody may join homes.
const joinsAnHour = 10

func homePath(id int64) string { return fmt.Sprintf("/api/residences/%d/", id) }

// admit has the owner let somebody into a home. A code is a secret: whoever gets no answer asks for another one, which ends the first.
func (h *household) admit(ctx context.Context, home int64, p *person) error {
	var shared struct{ Code string }
	if err := h.book.ask(ctx, h.people[0].Phone, post(homePath(home)+"share/", http.StatusCreated, map[string]any{"expires_in_hours": 1}, &shared)); err != nil {
		return err
	}
	p.joined++
	return h.book.ask(ctx, p.Phone, post("/api/residences/join/", http.StatusOK, map[string]any{"code": shared.Code}, nil))
}

func (h *household) part(ctx context.Context, home int64, p *person) error {
	if err := h.book.ask(ctx, p.Phone, remove(fmt.Sprintf("%susers/%d/", homePath(home), p.ID))); err != nil {
		return err
	}
	return h.book.ask(ctx, p.Phone, missing(homePath(home)))
}

// joined stands between the names of a person and a home in the subject of a mail.
const joined = " joined "

// tellOf notes the mails to those whom somebody joined in a home, which are true until that person has left.
func (h *household) tellOf(who *person, name string, told []*person, left *time.Time) {
	for _, to := range told {
		h.book.owes(&due{to: to.Email, subject: who.name + joined + name, from: "residences", ended: left})
	}
}

// visit lets a guest in, or has the one who is there leave.
func (h *household) visit(ctx context.Context, p *person) error {
	if h.staying != nil {
		leaver := h.staying
		h.staying, *h.left = nil, time.Now()
		return h.part(ctx, h.id, leaver)
	}
	guest := h.guests[h.visits%len(h.guests)]
	if guest.joined >= joinsAnHour {
		return h.myHomes(ctx, p)
	}
	h.visits++
	if err := h.admit(ctx, h.id, guest); err != nil {
		return err
	}
	h.staying, h.left = guest, &time.Time{}
	h.tellOf(guest, homeName, h.people, h.left)
	return h.board(ctx, guest)
}

// atCabin takes the next step about the cabin: the owner makes it, lets a member in, the member leaves, the owner deletes it.
func (h *household) atCabin(ctx context.Context, _ *person) error {
	owner, member, c := h.people[0], h.people[len(h.people)-1], &h.cabin
	switch {
	case c.id == 0:
		var made struct{ ID int64 }
		name := words("Cabin")
		home := map[string]any{"name": name, "residence_type": "cabin"}
		if err := h.book.ask(ctx, owner.Phone, post("/api/residences/", http.StatusCreated, home, &made)); err != nil {
			return err
		}
		*c = cabin{id: made.ID, name: name, gone: c.gone}
	case c.with == nil && !c.left && member != owner && member.joined < joinsAnHour:
		if err := h.admit(ctx, c.id, member); err != nil {
			return err
		}
		c.with, c.over = member, &time.Time{}
		h.tellOf(member, c.name, []*person{owner}, c.over)
	case c.with != nil:
		c.with, c.left, *c.over = nil, true, time.Now()
		if err := h.part(ctx, c.id, member); err != nil {
			return err
		}
	default:
		if err := h.book.ask(ctx, owner.Phone, remove(homePath(c.id))); err != nil {
			return err
		}
		*c = cabin{gone: append(c.gone, c.id)}
	}
	return h.myHomes(ctx, member)
}

// homesOf are the ids of the homes that somebody of the household belongs to.
func (h *household) homesOf(p *person) map[int64]bool {
	all := map[int64]bool{h.id: true}
	if h.cabin.id > 0 && (p == h.people[0] || p == h.cabin.with) {
		all[h.cabin.id] = true
	}
	return all
}

// myHomes is the app's first screen, with every home that the person belongs to and no other.
func (h *household) myHomes(ctx context.Context, p *person) error {
	var list struct {
		Results []struct {
			ID      int64
			Members int
			Summary map[string]int
		}
	}
	if err := h.book.ask(ctx, p.Phone, get("/api/residences/my/", &list)); err != nil {
		return err
	}
	mine := h.homesOf(p)
	for _, shown := range list.Results {
		if !mine[shown.ID] {
			return errStranger
		}
		tasks := 0
		for _, n := range shown.Summary {
			tasks += n
		}
		if shown.ID == h.id && (tasks != len(h.tasks) || shown.Members != len(h.living())) {
			return fmt.Errorf("the home has %d members and %d tasks where there are %d and %d", shown.Members, tasks, len(h.living()), len(h.tasks))
		}
	}
	if len(list.Results) != len(mine) {
		return errors.New("a home is lost")
	}
	return nil
}

// living are all who belong to the home at this moment.
func (h *household) living() []*person {
	if h.staying == nil {
		return h.people
	}
	return append(h.people[:len(h.people):len(h.people)], h.staying)
}

// members are those who live there, and the guest who stays.
func (h *household) members(ctx context.Context, p *person) error {
	var list struct{ Results []struct{ ID int64 } }
	if err := h.book.ask(ctx, p.Phone, get(homePath(h.id)+"users/", &list)); err != nil {
		return err
	}
	known := map[int64]bool{}
	for _, p := range h.living() {
		known[p.ID] = true
	}
	for _, shown := range list.Results {
		if !known[shown.ID] {
			return errors.New("the members have a stranger among them")
		}
	}
	if len(list.Results) != len(known) {
		return errors.New("a member is lost")
	}
	return nil
}
