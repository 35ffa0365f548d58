package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/honeydue/backend/shared/pg"
)

// A person is one of the app's, as operators see them.
type person struct {
	ID              int64      `json:"id" example:"7"`
	Email           string     `json:"email" example:"ann@example.com"`
	FirstName       string     `json:"first_name" example:"Ann"`
	LastName        string     `json:"last_name" example:"Heron"`
	State           string     `json:"state" enum:"active,disabled,unverified" doc:"unverified: the account works, and its address is not proved" example:"active"`
	EmailVerifiedAt *time.Time `json:"email_verified_at" doc:"null until the address is proved" example:"2026-06-01T08:00:00Z"`
	TimeZone        *string    `json:"time_zone" example:"Europe/Berlin"`
	Locale          string     `json:"locale" example:"en"`
	CreatedAt       time.Time  `json:"created_at" example:"2026-06-01T08:00:00Z"`
	DisabledAt      *time.Time `json:"disabled_at" doc:"null while the account works" example:"2026-06-02T08:00:00Z"`
}

func (p person) name() string { return strings.TrimSpace(p.FirstName + " " + p.LastName) }

// In the words of the indexes that lists of people are found by.
const (
	personText  = `lower(email || ' ' || first_name || ' ' || last_name)`
	personState = `(CASE WHEN disabled_at IS NOT NULL THEN 'disabled' WHEN email_verified_at IS NULL THEN 'unverified' ELSE 'active' END)`
)

const (
	personNames   = `id, email, first_name, last_name, state, email_verified_at, time_zone, locale, created_at, disabled_at`
	personColumns = `id, email, first_name, last_name, ` + personState + ` AS state, email_verified_at, time_zone, locale, created_at, disabled_at`

	selectPeople = `SELECT ` + personColumns + ` FROM auth_user`
)

func (s *service) people() resource {
	return resource{
		listing: list[person]{
			Name: people, Title: "People", About: "Everybody who has an account, newest first.",
			Search: "addresses and names", States: []string{"active", "disabled", "unverified"},
			Columns: []column[person]{
				{"Person", func(p person) cell { return linked(people, &p.ID, p.Email) }},
				{"Name", func(p person) cell { return text(p.name()) }},
				{"State", func(p person) cell { return p.state() }},
				{"Since", func(p person) cell { return instant(&p.CreatedAt) }},
			},
			Find: s.findPeople,
			Mark: func(_ query, p person) mark { return mark{ID: p.ID} },
		},
		item: one[personDetail]{Name: people, Summary: "One person", Load: s.loadPerson, View: s.viewPerson},
		acts: s.actsOnPeople(),
	}
}

func (p person) state() cell {
	switch p.State {
	case "disabled":
		return cell{Text: p.State, Tone: "bad"}
	case "active":
		return cell{Text: p.State, Tone: "good"}
	default:
		return muted(p.State)
	}
}

func (s *service) findPeople(ctx context.Context, q query) ([]person, error) {
	statement, args := peopleFound(q)
	found, err := pg.All[person](ctx, s.DB, statement, args...)
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	return found, nil
}

// peopleFound is the statement for q and what it binds.
func peopleFound(q query) (statement string, args []any) {
	var f filter
	f.below(q)
	state := ""
	if q.State != "" {
		f.and(personState + " = " + q.state())
		state = "state = " + q.state()
	}
	if q.Q != "" {
		statement = f.search(haystack{"auth_user", personColumns, personNames, personText}, q, state)
		return statement, f.args
	}
	statement = selectPeople + f.where() + ` ORDER BY id DESC LIMIT ` + q.limit()
	return statement, f.args
}
