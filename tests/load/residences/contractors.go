package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/honeydue/backend/tests/load"
)

const contractors = "/api/contractors/"

// What a home has of contractors before the load.
var trades = [...]string{"Joan Marsh, plumber", "Elm Electric", "Roofs by Rita", "Gutter & Sons"}

// A contractor as each member of a home sees them.
type contractor struct {
	ID          int64
	ResidenceID int64 `json:"residence_id"`
	Name        string
	Rating      int
	Specialties []int64 `json:"specialty_ids"`
}

// A kept contractor is what somebody wrote down of one, and was told is kept.
type kept struct {
	id int64
	by *load.Villager
}

// hire writes down whom each home calls.
func (p *people) hire(ctx context.Context) error {
	for _, home := range p.Homes {
		for i := range trades {
			var made contractor
			if err := home.People[0].Create(ctx, contractors, http.StatusCreated, hired(home, i), &made); err != nil {
				return fmt.Errorf("hire: %w", err)
			}
			p.contractors[home.ID] = append(p.contractors[home.ID], made.ID)
		}
	}
	return nil
}

func hired(home *load.Home, i int) map[string]any {
	return map[string]any{
		"residence_id": home.ID, "name": trades[i%len(trades)], "phone": "+1 512 555 0134", "specialty_ids": []int{1 + i%5, 7},
		"rating": best, "is_favorite": i == 0, "notes": "Knows the old boiler. Call before eight.",
	}
}

// of draws a person and a contractor of theirs who stays.
func (p *people) of() (*load.Villager, *load.Home, int64) {
	v := load.OneOf(p.People)
	home := load.OneOf(v.Homes)
	return v, home, load.OneOf(p.contractors[home.ID])
}

func one(id int64) string { return fmt.Sprintf("%s%d/", contractors, id) }

func isContractor(body []byte, id int64, home *load.Home) error {
	shown, err := load.Decode[contractor](body)
	return load.Wrong(err, shown.ID != id || shown.ResidenceID != home.ID, "another contractor was answered")
}

// listContractors shows whom the person's homes call, and nobody whom others call. Half look for plumbers.
func (p *people) listContractors() load.Call {
	v, query, least := load.OneOf(p.People), load.OneOf([]string{"", "?search=plumber"}), 0
	for _, home := range v.Homes {
		if least++; query == "" {
			least += len(p.contractors[home.ID]) - 1
		}
	}
	return load.Call{
		Name: "contractors", Method: http.MethodGet, URL: contractors + query, As: v.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			list, err := load.Decode[struct{ Results []contractor }](body)
			for _, shown := range list.Results {
				if !v.Sees(shown.ResidenceID) {
					return errors.New("the list shows whom a stranger's home calls")
				}
			}
			return load.Wrong(err, len(list.Results) < least, "the list has fewer than there are")
		},
	}
}

func (p *people) contractor() load.Call {
	v, home, id := p.of()
	return load.Call{
		Name: "contractor", Method: http.MethodGet, URL: one(id), As: v.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error { return isContractor(body, id, home) },
	}
}

func (p *people) changeContractor() load.Call {
	v, home, id := p.of()
	return load.Call{
		Name: "change contractor", Method: http.MethodPatch, URL: one(id), As: v.Phone, Status: http.StatusOK,
		Body: map[string]any{"rating": rating(id), "specialty_ids": specialties(id)},
		Check: func(_ http.Header, body []byte) error {
			if err := isContractor(body, id, home); err != nil {
				return err
			}
			shown, err := load.Decode[contractor](body)
			if err := load.Wrong(err, !shown.isRated(), "the contractor is not the one that was sent"); err != nil {
				return err
			}
			p.rated.Put(kept{id, v})
			return nil
		},
	}
}

// best is the rating that whoever is hired begins with.
const best = 5

// rating is what everybody thinks of a contractor later, so that it does not matter who is the last to write it.
func rating(id int64) int { return 1 + int(id%(best-1)) }

// specialties are those that everybody finds in a contractor later.
func specialties(id int64) []int64 { return []int64{2, int64(rating(id)) + 2} }

func (c contractor) isRated() bool {
	return c.Rating == rating(c.ID) && slices.Equal(slices.Sorted(slices.Values(c.Specialties)), specialties(c.ID))
}

func (p *people) addContractor() load.Call {
	v := load.OneOf(p.People)
	home := load.OneOf(v.Homes)
	return load.Call{
		Name: "add contractor", Method: http.MethodPost, URL: contractors, As: v.Phone, Body: hired(home, 1), Header: load.Key(), Status: http.StatusCreated,
		Check: func(_ http.Header, body []byte) error {
			made, err := load.Decode[contractor](body)
			if err := load.Wrong(err, made.ID == 0 || made.ResidenceID != home.ID || made.Name != trades[1], "the contractor is not the one that was sent"); err != nil {
				return err
			}
			p.added.Put(kept{made.ID, v})
			return nil
		},
	}
}

// dropContractor deletes one that was added. When there is none, somebody adds one.
func (p *people) dropContractor() load.Call {
	gone, ok := p.added.Take()
	if !ok {
		return p.addContractor()
	}
	return load.Call{
		Name: "drop contractor", Method: http.MethodDelete, URL: one(gone.id), As: gone.by.Phone, Status: http.StatusNoContent,
		Check: func(http.Header, []byte) error {
			p.dropped.Put(gone)
			return nil
		},
	}
}
