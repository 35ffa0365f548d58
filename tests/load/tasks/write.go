package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"

	"github.com/honeydue/backend/tests/load"
)

// A shown task is what of it the load looks at.
type shown struct {
	ID            int64
	ResidenceID   int64 `json:"residence_id"`
	Title         string
	EstimatedCost string `json:"estimated_cost"`
}

type completion struct {
	ID     int64
	TaskID int64 `json:"task_id"`
}

// written is what somebody wrote and was told is kept: of a task, and, when they completed it, which completion.
type written struct {
	by         *load.Villager
	task, done int64
	title      string
}

func pageOf(task int64) string    { return fmt.Sprintf("/api/tasks/%d/", task) }
func historyOf(task int64) string { return fmt.Sprintf("/api/task-completions/?task_id=%d", task) }

func (p *people) create() load.Call {
	v := load.OneOf(p.People)
	home := load.OneOf(v.Homes)
	body := home.Task(len(home.Tasks))
	return load.Call{
		Name: "create", Method: http.MethodPost, URL: "/api/tasks/", As: v.Phone, Body: body, Header: load.Key(), Status: http.StatusCreated,
		Check: func(_ http.Header, answer []byte) error {
			made, err := load.Decode[shown](answer)
			other := made.ID == 0 || made.ResidenceID != home.ID || made.Title != body["title"]
			if err := load.Wrong(err, other, "the task is not the one that was sent"); err != nil {
				return err
			}
			p.made.Put(written{by: v, task: made.ID, title: made.Title})
			return nil
		},
	}
}

// cost is what everybody thinks that a task will cost, so that it does not matter who is the last to write it.
func cost(task int64) string { return fmt.Sprintf("%d.50", 10+task%90) }

func (p *people) change() load.Call {
	v, id := p.taskOf()
	return load.Call{
		Name: "change", Method: http.MethodPatch, URL: pageOf(id), As: v.Phone, Body: map[string]any{"estimated_cost": cost(id)}, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			changed, err := load.Decode[shown](body)
			if err := load.Wrong(err, changed.ID != id || changed.EstimatedCost != cost(id), "the task is another one, or was not changed"); err != nil {
				return err
			}
			p.changed.Put(written{by: v, task: id})
			return nil
		},
	}
}

// complete ticks a task off that comes back: one that is done once and for all could not be completed again.
func (p *people) complete() load.Call {
	v := load.OneOf(p.People)
	home := load.OneOf(v.Homes)
	i := rand.IntN(len(home.Tasks))
	if i%3 == 1 {
		i--
	}
	id := home.Tasks[i]
	return load.Call{
		Name: "complete", Method: http.MethodPost, URL: "/api/task-completions/", As: v.Phone, Body: map[string]any{"task_id": id}, Header: load.Key(), Status: http.StatusCreated,
		Check: func(_ http.Header, body []byte) error {
			made, err := load.Decode[struct{ Completion completion }](body)
			if err := load.Wrong(err, made.Completion.TaskID != id, "another task was completed"); err != nil {
				return err
			}
			p.completed.Put(written{by: v, task: id, done: made.Completion.ID})
			return nil
		},
	}
}

// settle reads what was written again.
func (p *people) settle(ctx context.Context, _ *load.Site) error {
	return errors.Join(
		load.Reread(ctx, &p.made, func(ctx context.Context, w written) error {
			return w.read(ctx, func(task shown) bool { return task.Title == w.title })
		}),
		load.Reread(ctx, &p.changed, func(ctx context.Context, w written) error {
			return w.read(ctx, func(task shown) bool { return task.EstimatedCost == cost(w.task) })
		}),
		load.Reread(ctx, &p.completed, func(ctx context.Context, w written) error {
			found, err := w.inHistory(ctx)
			return load.Wrong(err, !found, "a completion")
		}),
	)
}

// inHistory looks for a completion, page by page.
func (w written) inHistory(ctx context.Context) (bool, error) {
	for cursor := ""; ; {
		var list struct {
			Results    []completion
			NextCursor *string `json:"next_cursor"`
		}
		if err := w.by.Read(ctx, historyOf(w.task)+"&limit=100"+cursor, &list); err != nil {
			return false, err
		}
		if found := slices.Contains(list.Results, completion{w.done, w.task}); found || list.NextCursor == nil {
			return found, nil
		}
		cursor = "&cursor=" + *list.NextCursor
	}
}

func (w written) read(ctx context.Context, is func(task shown) bool) error {
	var task shown
	err := w.by.Read(ctx, pageOf(w.task), &task)
	return load.Wrong(err, task.ID != w.task || !is(task), "a task as it was written")
}
