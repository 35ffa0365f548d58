// Command residences loads function residences as people do: they look at their homes, at who lives there and at whom to call, and
// write down what has changed. Guests are let in with a code, look around and leave.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/honeydue/backend/tests/load"
)

const homes = 24

func main() {
	p := &people{contractors: map[int64][]int64{}, guests: map[int64][]int64{}}
	load.Main(load.Test{Function: "residences", Rate: 150, P99: 80 * time.Millisecond, Mix: p.mix, Settle: p.settle})
}

func (p *people) mix(ctx context.Context, at *load.Site) (_ func() load.Call, err error) {
	if p.Village, err = at.Village(ctx, homes); err != nil {
		return nil, err
	}
	if err := p.hire(ctx); err != nil {
		return nil, err
	}
	if err := p.invite(ctx, at); err != nil {
		return nil, err
	}
	return load.Mixed(
		load.Share{Weight: 30, Call: p.mine},
		load.Share{Weight: 5, Call: p.list},
		load.Share{Weight: 15, Call: p.home},
		load.Share{Weight: 10, Call: p.users},
		load.Share{Weight: 3, Call: p.stranger},
		load.Share{Weight: 4, Call: p.change},
		load.Share{Weight: 6, Call: p.visit},
		load.Share{Weight: 12, Call: p.listContractors},
		load.Share{Weight: 8, Call: p.contractor},
		load.Share{Weight: 3, Call: p.changeContractor},
		load.Share{Weight: 2, Call: p.addContractor},
		load.Share{Weight: 2, Call: p.dropContractor},
	), nil
}

// people live in a village. What they hired and whom they invited before the load is by the id of their home, and stays.
type people struct {
	*load.Village

	contractors map[int64][]int64
	guests      map[int64][]int64
	visits      load.Pool[*visit]

	added, dropped load.Pool[kept]
	described      load.Pool[*load.Home]
	rated          load.Pool[kept]
}

// A residence as its members see it.
type residence struct {
	ID          int64
	Name, Role  string
	Description string
	Members     int
	Summary     map[string]int
}

// mine is the app's first screen. It counts every task of a home, none of which anybody touches, once.
func (p *people) mine() load.Call {
	v := load.OneOf(p.People)
	return load.Call{
		Name: "my homes", Method: http.MethodGet, URL: "/api/residences/my/", As: v.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			return checkHomes(body, v, func(shown residence, home *load.Home) error {
				tasks := 0
				for _, n := range shown.Summary {
					tasks += n
				}
				switch guests := shown.Members - len(home.People); {
				case tasks != len(home.Tasks):
					return errors.New("the summary does not count each task once")
				case guests < 0 || guests > 1:
					return errors.New("the home does not have as many members as people live there")
				}
				return nil
			})
		},
	}
}

func (p *people) list() load.Call {
	v := load.OneOf(p.People)
	return load.Call{
		Name: "homes", Method: http.MethodGet, URL: "/api/residences/", As: v.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			return checkHomes(body, v, func(residence, *load.Home) error { return nil })
		},
	}
}

// checkHomes looks for homes of strangers, and for as many as the person has.
func checkHomes(body []byte, v *load.Villager, check func(shown residence, home *load.Home) error) error {
	list, err := load.Decode[struct{ Results []residence }](body)
	if err := load.Wrong(err, len(list.Results) != len(v.Homes), "there are not as many homes as the person has"); err != nil {
		return err
	}
	for _, shown := range list.Results {
		i := slices.IndexFunc(v.Homes, func(h *load.Home) bool { return h.ID == shown.ID })
		if i < 0 {
			return errors.New("the list shows a stranger's home")
		}
		if err := check(shown, v.Homes[i]); err != nil {
			return err
		}
	}
	return nil
}

func at(home *load.Home) string { return fmt.Sprintf("/api/residences/%d/", home.ID) }

func isHome(body []byte, home *load.Home, role string) error {
	shown, err := load.Decode[residence](body)
	return load.Wrong(err, shown.ID != home.ID || shown.Role != role, "another home was answered, or another role")
}

// role is what the person is in the home.
func role(v *load.Villager, home *load.Home) string {
	if home.People[0] == v.Person {
		return "owner"
	}
	return "member"
}

func (p *people) home() load.Call {
	v := load.OneOf(p.People)
	home := load.OneOf(v.Homes)
	return load.Call{
		Name: "home", Method: http.MethodGet, URL: at(home), As: v.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error { return isHome(body, home, role(v, home)) },
	}
}

// stranger asks for a home where the person does not live, which is not there for them.
func (p *people) stranger() load.Call {
	v, home := load.OneOf(p.People), load.OneOf(p.Homes)
	if v.Sees(home.ID) {
		return p.home()
	}
	return load.Call{Name: "stranger's home", Method: http.MethodGet, URL: at(home), As: v.Phone, Status: http.StatusNotFound}
}

func (p *people) change() load.Call {
	v := load.OneOf(p.People)
	home := load.OneOf(v.Homes)
	return load.Call{
		Name: "change home", Method: http.MethodPatch, URL: at(home), As: v.Phone, Body: map[string]string{"description": described(home)}, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			shown, err := load.Decode[residence](body)
			if err := load.Wrong(err, shown.ID != home.ID || shown.Description != described(home), "the home is not the one that was sent"); err != nil {
				return err
			}
			p.described.Put(home)
			return nil
		},
	}
}

// described is what everybody writes about a home, so that it does not matter who is the last.
func described(home *load.Home) string {
	return fmt.Sprintf("The key of the shed hangs behind door %d.", home.ID)
}

// users are everybody who lives there, the person among them, and now and then one of the home's guests.
func (p *people) users() load.Call {
	v := load.OneOf(p.People)
	home := load.OneOf(v.Homes)
	return load.Call{
		Name: "members", Method: http.MethodGet, URL: at(home) + "users/", As: v.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			list, err := load.Decode[struct{ Results []struct{ ID int64 } }](body)
			living := 0
			for _, shown := range list.Results {
				if slices.Contains(p.guests[home.ID], shown.ID) {
					continue
				}
				living++
				if !slices.ContainsFunc(home.People, isPerson(shown.ID)) {
					return errors.New("the members have a stranger among them")
				}
			}
			return load.Wrong(err, living != len(home.People), "the members are not those who live there")
		},
	}
}
