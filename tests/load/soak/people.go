package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/honeydue/backend/tests/story"
)

// me asks who the person is.
func (h *household) me(ctx context.Context, p *person) error {
	var shown struct{ Email string }
	if err := h.book.ask(ctx, p.Phone, get("/api/auth/me/", &shown)); err != nil {
		return err
	}
	if shown.Email != p.Email {
		return errors.New("another account was answered")
	}
	return nil
}

// A told entry is one of the app's own list.
type told struct {
	ID           int64
	Type         string
	ResidenceID  int64 `json:"residence_id"`
	TaskID       int64 `json:"task_id"`
	CompletionID int64 `json:"completion_id"`
}

// news is the app's own list, of the homes that the person belongs to.
func (h *household) news(ctx context.Context, p *person) error {
	var list struct{ Results []told }
	if err := h.book.ask(ctx, p.Phone, get("/api/notifications/", &list)); err != nil {
		return err
	}
	mine := h.homesOf(p)
	for _, entry := range list.Results {
		if !mine[entry.ResidenceID] {
			return errStranger
		}
	}
	return nil
}

// readAll has the person read everything. What comes meanwhile is unread, so that only what there was before can be looked at again.
func (h *household) readAll(ctx context.Context, p *person) error {
	const list = "/api/notifications/"
	var before, after struct {
		Results []struct {
			ID     int64
			ReadAt *time.Time `json:"read_at"`
		}
	}
	if err := h.book.ask(ctx, p.Phone, get(list, &before)); err != nil {
		return err
	}
	if err := h.book.ask(ctx, p.Phone, post(list+"read-all/", http.StatusNoContent, nil, nil)); err != nil {
		return err
	}
	if err := h.book.ask(ctx, p.Phone, get(list, &after)); err != nil {
		return err
	}
	known := map[int64]bool{}
	for _, entry := range before.Results {
		known[entry.ID] = true
	}
	for _, entry := range after.Results {
		if known[entry.ID] && entry.ReadAt == nil {
			return errors.New("what was read is unread again")
		}
	}
	return nil
}

const preferences = "/api/notifications/preferences/"

// prefer changes the hour of the person's digest, and reads it again.
func (h *household) prefer(ctx context.Context, p *person) error {
	hour := 1 + p.quiet%22
	if err := h.book.ask(ctx, p.Phone, patch(preferences, map[string]any{"daily_digest_hour": hour}, nil)); err != nil {
		return err
	}
	p.quiet = hour
	return h.readPreferences(ctx, p)
}

func (h *household) readPreferences(ctx context.Context, p *person) error {
	var shown struct {
		Hour  int `json:"daily_digest_hour"`
		Types map[string]struct{ Email bool }
	}
	if err := h.book.ask(ctx, p.Phone, get(preferences, &shown)); err != nil {
		return err
	}
	if p.quiet > 0 && shown.Hour != p.quiet || shown.Types["task_completed"].Email {
		return errors.New("a change of the preferences is lost")
	}
	return nil
}

const (
	devices         = "/api/notifications/devices/"
	devicesOfPerson = 2
)

// device registers a phone, or forgets one, and looks at all of them.
func (h *household) device(ctx context.Context, p *person) error {
	if len(p.devices) >= devicesOfPerson {
		for id := range p.devices {
			if err := h.book.ask(ctx, p.Phone, remove(fmt.Sprintf("%s%d/", devices, id))); err != nil {
				return err
			}
			delete(p.devices, id)
			return h.readDevices(ctx, p)
		}
	}
	var token [32]byte
	_, _ = rand.Read(token[:]) // never fails
	name := words("Phone")
	var made struct{ ID int64 }
	body := map[string]string{"platform": "ios", "token": hex.EncodeToString(token[:]), "name": name, "app_version": "2.4.1"}
	if err := h.book.ask(ctx, p.Phone, post(devices, http.StatusCreated, body, &made)); err != nil {
		return err
	}
	p.devices[made.ID] = name
	return h.readDevices(ctx, p)
}

func (h *household) readDevices(ctx context.Context, p *person) error {
	var list struct {
		Results []struct {
			ID   int64
			Name string
		}
	}
	if err := h.book.ask(ctx, p.Phone, get(devices, &list)); err != nil {
		return err
	}
	for _, shown := range list.Results {
		if p.devices[shown.ID] != shown.Name {
			return errors.New("there is a device that was not registered")
		}
	}
	if len(list.Results) != len(p.devices) {
		return errors.New("a device is lost")
	}
	return nil
}

// session signs in on a further phone or signs out of one, whose token opens nothing from then on.
func (h *household) session(ctx context.Context, p *person) error {
	if len(p.sessions) > 1 {
		last := p.sessions[0]
		out := post("/api/auth/logout/", http.StatusNoContent, nil, nil)
		out.again = http.StatusUnauthorized
		if err := h.book.ask(ctx, last, out); err != nil {
			return err
		}
		p.sessions, h.dead = p.sessions[1:], append(h.dead, last)
		return h.isDead(ctx, last)
	}
	phone, err := h.signIn(ctx, p)
	if err != nil {
		return err
	}
	p.sessions = append(p.sessions, phone)
	return nil
}

// signIn opens a session. One whose token was lost with its answer ends with the person's next change of password.
func (h *household) signIn(ctx context.Context, p *person) (*story.Phone, error) {
	phone := h.at.Phone()
	var in struct {
		Token string
		User  struct{ ID int64 }
	}
	body := map[string]string{"email": p.Email, "password": p.password, "device_name": "Tablet"}
	if err := h.book.ask(ctx, phone, post("/api/auth/login/", http.StatusOK, body, &in)); err != nil {
		return nil, err
	}
	if in.User.ID != p.ID {
		return nil, errors.New("somebody else is signed in")
	}
	phone.Token = in.Token
	return phone, nil
}

func (h *household) isDead(ctx context.Context, phone *story.Phone) error {
	return h.book.ask(ctx, phone, request{method: http.MethodGet, path: "/api/auth/me/", status: http.StatusUnauthorized})
}

// changesAnHour is of how many changes of a password somebody hears by mail within an hour.
const changesAnHour = 5

// changePassword ends the person's other sessions, and is told of by mail. Whoever gets no answer and finds the old password wrong
// knows that it was changed.
func (h *household) changePassword(ctx context.Context, p *person) error {
	if p.changes >= changesAnHour {
		return h.me(ctx, p)
	}
	p.changes++
	next := fmt.Sprintf("%s-%d", story.Password, p.changes)
	change := post("/api/auth/change-password/", http.StatusNoContent, map[string]string{"current_password": p.password, "new_password": next}, nil)
	change.again = http.StatusUnprocessableEntity
	if err := h.book.ask(ctx, p.Phone, change); err != nil {
		return err
	}
	p.password = next
	h.book.owes(&due{to: p.Email, subject: "Your password was changed", from: "auth"})
	h.dead = append(h.dead, p.sessions...)
	p.sessions = nil
	_, err := h.signIn(ctx, p)
	return err
}

// accountsAHome is how many newcomers a household remembers.
const accountsAHome = 3

// newcomer has somebody make an account, who has no home; or the oldest of them delete theirs.
func (h *household) newcomer(ctx context.Context, _ *person) error {
	if len(h.accounts) < accountsAHome {
		made, err := h.arrive(ctx, firstNames[0])
		if err != nil {
			return err
		}
		h.accounts = append(h.accounts, made)
		return nil
	}
	leaver := h.accounts[0]
	end := request{
		method: http.MethodDelete, path: "/api/auth/account/", body: map[string]string{"password": story.Password},
		status: http.StatusAccepted, again: http.StatusUnauthorized,
	}
	if err := h.book.ask(ctx, leaver.Phone, end); err != nil {
		return err
	}
	h.accounts, h.departed = h.accounts[1:], append(h.departed, leaver)
	leaver.departed = time.Now()
	h.dead = append(h.dead, leaver.Phone)
	return h.isDead(ctx, leaver.Phone)
}
