// Command tasks loads function tasks as people do in the evening: they look at their boards, tick things off, and think of more.
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
	load.Main(load.Test{Function: "tasks", Rate: 150, P99: 100 * time.Millisecond, Mix: mix})
}

func mix(ctx context.Context, at *load.Site) (func() load.Call, error) {
	village, err := at.Village(ctx, homes)
	if err != nil {
		return nil, err
	}
	p := people{village}
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

// people live in a village.
type people struct{ *load.Village }

// board reads everything that a person has to do. Nobody sees a home that is not theirs, and what was there stays.
func (p people) board() load.Call {
	v := load.OneOf(p.People)
	return load.Call{
		Name: "board", Method: http.MethodGet, URL: "/api/tasks/", As: v.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error { return checkBoard(body, v.Tasks(), v.Homes...) },
	}
}

func (p people) homeBoard() load.Call {
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
			Tasks []struct {
				ResidenceID int64 `json:"residence_id"`
			}
		}
	}](body)
	if err != nil {
		return err
	}
	shown := 0
	for _, column := range board.Columns {
		shown += column.Count
		for _, task := range column.Tasks {
			if !slices.ContainsFunc(homes, func(h *load.Home) bool { return h.ID == task.ResidenceID }) {
				return errors.New("the board shows a stranger's home")
			}
		}
	}
	if shown < least {
		return fmt.Errorf("the board has %d tasks fewer than there are", least-shown)
	}
	return nil
}

// task reads one, by its page.
func (p people) task() load.Call {
	v, id := p.taskOf()
	return load.Call{
		Name: "task", Method: http.MethodGet, URL: fmt.Sprintf("/api/tasks/%d/", id), As: v.Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error { return isTask(body, id) },
	}
}

// taskOf draws a person and a task of theirs.
func (p people) taskOf() (*load.Villager, int64) {
	v := load.OneOf(p.People)
	return v, load.OneOf(load.OneOf(v.Homes).Tasks)
}

func isTask(body []byte, id int64) error {
	task, err := load.Decode[struct{ ID int64 }](body)
	return load.Wrong(err, task.ID != id, "another task was answered")
}

func (p people) search() load.Call {
	v := load.OneOf(p.People)
	return load.Call{Name: "search", Method: http.MethodGet, URL: "/api/tasks/search/?q=filter", As: v.Phone, Status: http.StatusOK}
}

func (p people) history() load.Call {
	v, id := p.taskOf()
	return load.Call{Name: "history", Method: http.MethodGet, URL: fmt.Sprintf("/api/task-completions/?task_id=%d", id), As: v.Phone, Status: http.StatusOK}
}

func (p people) create() load.Call {
	v := load.OneOf(p.People)
	home := load.OneOf(v.Homes)
	return load.Call{
		Name: "create", Method: http.MethodPost, URL: "/api/tasks/", As: v.Phone, Body: home.Task(len(home.Tasks)), Header: load.Key(), Status: http.StatusCreated,
		Check: func(_ http.Header, body []byte) error {
			made, err := load.Decode[struct {
				ID          int64
				ResidenceID int64 `json:"residence_id"`
			}](body)
			return load.Wrong(err, made.ID == 0 || made.ResidenceID != home.ID, "the task is not the one that was sent")
		},
	}
}

func (p people) change() load.Call {
	v, id := p.taskOf()
	return load.Call{
		Name: "change", Method: http.MethodPatch, URL: fmt.Sprintf("/api/tasks/%d/", id), As: v.Phone, Body: map[string]any{"estimated_cost": "12.50"}, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error { return isTask(body, id) },
	}
}

// complete ticks a task off. One that is done once and for all is completed again, as people do who had forgotten.
func (p people) complete() load.Call {
	v, id := p.taskOf()
	return load.Call{
		Name: "complete", Method: http.MethodPost, URL: "/api/task-completions/", As: v.Phone, Body: map[string]any{"task_id": id}, Header: load.Key(), Status: http.StatusCreated,
		Check: func(_ http.Header, body []byte) error {
			done, err := load.Decode[struct {
				Completion struct {
					TaskID int64 `json:"task_id"`
				}
			}](body)
			return load.Wrong(err, done.Completion.TaskID != id, "another task was completed")
		},
	}
}
