// Command tasks loads function tasks as people do in the evening: they look at their boards, tick things off, and think of more.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/honeydue/backend/tests/load"
)

const homes = 24

func main() {
	p := &people{}
	load.Main(load.Test{Function: "tasks", Rate: 150, P99: 80 * time.Millisecond, Mix: p.mix, Settle: p.settle})
}

func (p *people) mix(ctx context.Context, at *load.Site) (_ func() load.Call, err error) {
	if p.Village, err = at.Village(ctx, homes); err != nil {
		return nil, err
	}
	return load.Mixed(
		load.Share{Weight: 50, Call: p.board},
		load.Share{Weight: 10, Call: p.homeBoard},
		load.Share{Weight: 10, Call: p.task},
		load.Share{Weight: 5, Call: p.search},
		load.Share{Weight: 5, Call: p.history},
		load.Share{Weight: 8, Call: p.create},
		load.Share{Weight: 4, Call: p.change},
		load.Share{Weight: 8, Call: p.complete},
	), nil
}

// people live in a village. What they wrote stays.
type people struct {
	*load.Village

	made, changed, completed load.Pool[written]
}

// board reads everything that a person has to do. Nobody sees a home that is not theirs, and what was there stays.
func (p *people) board() load.Call {
	v := load.OneOf(p.People)
	return load.Call{
		Name: "board", Method: http.MethodGet, URL: "/api/tasks/", As: v.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error { return checkBoard(body, v.Tasks(), v.Homes...) },
	}
}

func (p *people) homeBoard() load.Call {
	v := load.OneOf(p.People)
	home := load.OneOf(v.Homes)
	return load.Call{
		Name: "board of a home", Method: http.MethodGet, URL: fmt.Sprintf("/api/tasks/by-residence/%d/", home.ID), As: v.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error { return checkBoard(body, len(home.Tasks), home) },
	}
}

// checkBoard looks for tasks of strangers, and for as many as there were.
func checkBoard(body []byte, least int, homes ...*load.Home) error {
	board, err := load.Decode[struct {
		Columns []struct {
			Count int
			Tasks []shown
		}
	}](body)
	if err != nil {
		return err
	}
	found := 0
	for _, column := range board.Columns {
		if column.Count != len(column.Tasks) {
			return errors.New("a column has not as many tasks as it says")
		}
		found += len(column.Tasks)
		for _, task := range column.Tasks {
			if !slices.ContainsFunc(homes, func(h *load.Home) bool { return h.ID == task.ResidenceID }) {
				return errors.New("the board shows a stranger's home")
			}
		}
	}
	if found < least {
		return fmt.Errorf("the board has %d tasks fewer than there are", least-found)
	}
	return nil
}

// task reads one, by its page.
func (p *people) task() load.Call {
	v, id := p.taskOf()
	return load.Call{
		Name: "task", Method: http.MethodGet, URL: pageOf(id), As: v.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error { return isTask(body, id) },
	}
}

// taskOf draws a person and a task of theirs.
func (p *people) taskOf() (*load.Villager, int64) {
	v := load.OneOf(p.People)
	return v, load.OneOf(load.OneOf(v.Homes).Tasks)
}

func isTask(body []byte, id int64) error {
	task, err := load.Decode[shown](body)
	return load.Wrong(err, task.ID != id, "another task was answered")
}

// search looks for what the first task of each home is about.
func (p *people) search() load.Call {
	v := load.OneOf(p.People)
	return load.Call{
		Name: "search", Method: http.MethodGet, URL: "/api/tasks/search/?q=filter", As: v.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			found, err := load.Decode[struct{ Results []shown }](body)
			for _, task := range found.Results {
				if !v.Sees(task.ResidenceID) || !strings.Contains(task.Title, "filter") {
					return errors.New("the search finds a stranger's task, or one about something else")
				}
			}
			return load.Wrong(err, len(found.Results) < len(v.Homes), "the search finds too few")
		},
	}
}

func (p *people) history() load.Call {
	v, id := p.taskOf()
	return load.Call{
		Name: "history", Method: http.MethodGet, URL: historyOf(id), As: v.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			list, err := load.Decode[struct{ Results []completion }](body)
			for _, done := range list.Results {
				if done.TaskID != id {
					return errors.New("the history is of another task")
				}
			}
			return err
		},
	}
}
