package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
)

// findings are what was looked for in the end. Its methods may be called at the same time.
type findings struct {
	mu     sync.Mutex
	looked int
	lost   []string
}

// look notes that something was looked for, and not found as it must be when err says so.
func (f *findings) look(what string, err error) { f.looks(1, what, err) }

func (f *findings) looks(many int, what string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looked += many
	if err != nil {
		f.lost = append(f.lost, what+": "+err.Error())
	}
}

// lookAtPeople looks for what each person has beside the home, and that what ended has.
func (h *household) lookAtPeople(ctx context.Context, found *findings) {
	for _, p := range h.people {
		who := fmt.Sprintf("person %d: ", p.ID)
		found.look(who+"homes", h.myHomes(ctx, p))
		found.looks(max(1, len(p.devices)), who+"devices", h.readDevices(ctx, p))
		found.look(who+"preferences", h.readPreferences(ctx, p))
		for _, phone := range p.sessions {
			found.look(who+"a session", h.book.ask(ctx, phone, get("/api/auth/me/", nil)))
		}
		_, err := h.signIn(ctx, p)
		found.look(who+"the password", err)
		h.lookAtNews(ctx, p, found)
	}
	for _, p := range h.guests {
		mine := 0
		if p == h.staying {
			mine = 1
		}
		found.look(fmt.Sprintf("guest %d: homes", p.ID), h.hasHomes(ctx, p, mine))
	}
	for _, phone := range h.dead {
		found.look("the end of a session", h.isDead(ctx, phone))
	}
	for _, p := range h.accounts {
		found.look(fmt.Sprintf("account %d", p.ID), errors.Join(h.me(ctx, p), h.hasHomes(ctx, p, 0)))
	}
	for _, p := range h.departed {
		refused := post("/api/auth/login/", http.StatusUnauthorized, map[string]string{"email": p.Email, "password": p.password}, nil)
		found.look(fmt.Sprintf("the end of account %d", p.ID), h.book.ask(ctx, h.at.Phone(), refused))
	}
}

func (h *household) hasHomes(ctx context.Context, p *person, n int) error {
	var list struct{ Results []struct{ ID int64 } }
	if err := h.book.ask(ctx, p.Phone, get("/api/residences/", &list)); err != nil {
		return err
	}
	if len(list.Results) != n || n == 1 && list.Results[0].ID != h.id {
		return fmt.Errorf("there are %d homes and not the %d", len(list.Results), n)
	}
	return nil
}

// lookAtNews reads the person's list in the app: of every completion that stands and of every task that was given, it tells once.
func (h *household) lookAtNews(ctx context.Context, p *person, found *findings) {
	who := fmt.Sprintf("person %d: ", p.ID)
	all, err := pages[told](ctx, h.book, p, "/api/notifications/?unread=false")
	found.look(who+"notifications", err)
	if err != nil {
		return
	}
	completed, assigned, mine := map[int64]int{}, map[int64]int{}, h.homesOf(p)
	for _, entry := range all {
		if !mine[entry.ResidenceID] {
			found.look(who+"notifications", errStranger)
		}
		switch entry.Type {
		case "task_completed":
			completed[entry.CompletionID]++
		case "task_assigned":
			assigned[entry.TaskID]++
		}
	}
	for _, t := range h.tasks {
		for _, e := range t.completions() {
			if e.by != p {
				found.look(fmt.Sprintf("%sthe word of completion %d", who, e.id), times(completed[e.id]))
			}
		}
	}
	for _, t := range p.given {
		if t.ended.IsZero() {
			found.look(fmt.Sprintf("%sthe word of task %d", who, t.id), times(assigned[t.id]))
		}
	}
}

// times is an error unless something was told once.
func times(n int) error {
	if n == 1 {
		return nil
	}
	return fmt.Errorf("told %d times", n)
}
