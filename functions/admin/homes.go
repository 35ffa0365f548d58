package main

import (
	"context"
	"fmt"
	"time"

	"github.com/honeydue/backend/shared/pg"
)

// A residence is a home as a list tells of it.
type residence struct {
	ID        int64     `json:"id" example:"3"`
	Name      string    `json:"name" example:"Elm Street"`
	City      *string   `json:"city" example:"Austin"`
	OwnerID   *int64    `json:"owner_id" example:"7"`
	Owner     *string   `json:"owner" doc:"Their address" example:"ann@example.com"`
	Members   int       `json:"members" doc:"How many people belong to it, its owner among them" example:"2"`
	CreatedAt time.Time `json:"created_at" example:"2026-06-01T08:00:00Z"`
}

// homeText is in the words of the index that homes are found by.
const homeText = `lower(name || ' ' || coalesce(city, ''))`

// Who belongs to homes is looked up for those that a page shows, one by one: a join could read everybody.
const selectHomes = `
SELECT h.id, h.name, h.city, (SELECT o.user_id FROM residence_member o WHERE o.residence_id = h.id AND o.role = 'owner') AS owner_id,
    (SELECT u.email FROM residence_member o JOIN auth_user u ON u.id = o.user_id WHERE o.residence_id = h.id AND o.role = 'owner') AS owner,
    (SELECT count(*) FROM residence_member m WHERE m.residence_id = h.id) AS members, h.created_at
FROM (%s) h
ORDER BY h.id DESC`

func (s *service) homes() resource {
	return resource{
		listing: list[residence]{
			Name: homes, Title: "Homes", About: "All homes, newest first.",
			Search: "names and cities", Of: []string{people},
			Columns: []column[residence]{
				{"Home", func(r residence) cell { return linked(homes, &r.ID, r.Name) }},
				{"City", func(r residence) cell { return optional(r.City) }},
				{"Owner", func(r residence) cell { return personCell(r.OwnerID, r.Owner) }},
				{"Members", func(r residence) cell { return number(r.Members) }},
				{"Since", func(r residence) cell { return instant(&r.CreatedAt) }},
			},
			Find: s.findHomes,
			Mark: func(_ query, r residence) mark { return mark{ID: r.ID} },
		},
		item: one[homeDetail]{Name: homes, Summary: "One home", Load: s.loadHome, View: s.viewHome},
	}
}

// personCell leads to a person by their address; to nobody when either is missing.
func personCell(id *int64, email *string) cell {
	if email == nil {
		return cell{}
	}
	return linked(people, id, *email)
}

func (s *service) findHomes(ctx context.Context, q query) ([]residence, error) {
	statement, args := homesFound(q)
	found, err := pg.All[residence](ctx, s.DB, fmt.Sprintf(selectHomes, statement), args...)
	if err != nil {
		return nil, fmt.Errorf("list homes: %w", err)
	}
	return found, nil
}

// homesFound is the statement for those of q, and what it binds.
func homesFound(q query) (statement string, args []any) {
	const columns = `id, name, city, created_at`
	var f filter
	f.below(q)
	switch id := q.of(people); {
	case id == 0 && q.Q != "":
		statement = f.search(haystack{"residence_residence", columns, columns, homeText}, q, "")
		return statement, f.args
	case id > 0:
		f.and("id IN (SELECT residence_id FROM residence_member WHERE user_id = " + f.bind(id) + "::bigint)")
		if q.Q != "" {
			f.and(f.words(homeText, q.Q))
		}
	}
	statement = `SELECT ` + columns + ` FROM residence_residence` + f.where() + ` ORDER BY id DESC LIMIT ` + q.limit()
	return statement, f.args
}
