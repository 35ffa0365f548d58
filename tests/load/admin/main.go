// Command admin loads function admin as operators do who look into what people write to support about: they search, open pages of the
// panel, leaf through lists and act; and as their programs do, which ask the same of the API. A system that was started for the load
// has 20,000 more people with 100,000 tasks, so that lists are long.
package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/honeydue/backend/tests/load"
	"github.com/honeydue/backend/tests/story"
)

// People who write to support: the first are looked for, the others are acted on as well.
const (
	soughtPeople = 20
	actedPeople  = 4
)

func main() {
	o := &office{}
	load.Main(load.Test{
		Function: "admin", Rate: 30, P99: 150 * time.Millisecond, Mix: o.mix, Settle: o.settle,
		Slower: map[string]time.Duration{"CSV of people": time.Second},
	})
}

func (o *office) mix(ctx context.Context, at *load.Site) (func() load.Call, error) {
	o.at, o.crowded = at, at.DB != nil
	if o.crowded {
		if err := crowd(ctx, at.DB); err != nil {
			return nil, err
		}
	}
	for range soughtPeople {
		person, err := story.Register(ctx, at.Phone(), "Wanda")
		if err != nil {
			return nil, fmt.Errorf("register: %w", err)
		}
		o.people = append(o.people, person)
	}
	if err := o.open(ctx); err != nil {
		return nil, fmt.Errorf("let operators in: %w", err)
	}
	for range actedPeople {
		person, err := story.Register(ctx, at.Phone(), "Wilma")
		if err != nil {
			return nil, fmt.Errorf("register: %w", err)
		}
		o.errands.Put(&errand{id: person.ID, next: o.ask})
	}
	return load.Mixed(
		load.Share{Weight: 10, Call: o.overview},
		load.Share{Weight: 8, Call: o.newest},
		load.Share{Weight: 6, Call: o.leaf},
		load.Share{Weight: 10, Call: o.list},
		load.Share{Weight: 4, Call: o.completed},
		load.Share{Weight: 6, Call: o.searchMany},
		load.Share{Weight: 12, Call: o.searchOne},
		load.Share{Weight: 12, Call: o.person},
		load.Share{Weight: 5, Call: o.askForPerson},
		load.Share{Weight: 5, Call: o.askForTasks},
		load.Share{Weight: 14, Call: o.errand},
		load.Share{Weight: 2, Call: o.refused},
		load.Share{Weight: 2, Call: o.stranger},
		load.Share{Weight: 1, Call: o.download},
	), nil
}

// An office is where operators sit, and what they work on.
type office struct {
	at      *load.Site
	crowded bool

	operators []operator // all of them
	admins    []operator // those of them who act
	support   operator   // who reads and does not act
	people    []*story.Person
	pages     load.Pool[next]
	errands   load.Pool[*errand]
}

// panel is a call of the panel by one of the operators.
func (o *office) panel(name, path string, check func(body []byte) error) load.Call {
	who := load.OneOf(o.operators)
	return load.Call{
		Name: name, Method: http.MethodGet, URL: path, Header: who.header(o.at), Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error { return check(body) },
	}
}

// call is one of the API by one of those who act.
func (o *office) call(name, path string, check func(body []byte) error) load.Call {
	return load.Call{
		Name: name, Method: http.MethodGet, URL: "/api/admin" + path, As: load.OneOf(o.admins).Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error { return check(body) },
	}
}

// refused is an act of somebody who may read alone.
func (o *office) refused() load.Call {
	return load.Call{
		Name: "act of support", Method: http.MethodPost, URL: fmt.Sprintf("/api/admin/people/%d/disable/", load.OneOf(o.people).ID),
		As: o.support.Phone, Status: http.StatusForbidden,
	}
}

// stranger has no session: every page leads to where operators sign in.
func (o *office) stranger() load.Call {
	return load.Call{
		Name: "no session", Method: http.MethodGet, URL: load.OneOf([]string{"/people/", "/people.csv", "/tasks/1/", "/audit/"}),
		Header: o.at.Host("admin"), Status: http.StatusSeeOther,
		Check: func(header http.Header, body []byte) error {
			led := strings.HasPrefix(header.Get("Location"), "/sign-in/")
			return load.Wrong(nil, !led || len(body) > 0, "a stranger is led elsewhere, or shown something")
		},
	}
}
