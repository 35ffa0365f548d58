package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/honeydue/backend/tests/load"
	"github.com/honeydue/backend/tests/story"
)

// A task as its home knows it.
type task struct {
	id      int64
	title   string
	cost    string // as it was last changed; empty: never
	maker   *person
	holder  *person // whom it is given to; nil: nobody
	once    bool    // it is done with one completion
	entries []*entry
	ended   time.Time // when it was deleted; zero: never
}

// An entry of a task's history, by whom. A skipped one has no id that anybody was told.
type entry struct {
	id int64
	by *person
}

func (t *task) path() string { return fmt.Sprintf("/api/tasks/%d/", t.id) }

// completions are those that stand.
func (t *task) completions() (all []*entry) {
	for _, e := range t.entries {
		if e.id > 0 {
			all = append(all, e)
		}
	}
	return all
}

func (t *task) isDone() bool { return t.once && len(t.entries) > 0 }

// Frequencies of the lists to choose from.
const once, monthly = 1, 5

// turnOver makes a task where there are few, and deletes the oldest where there are many, so that boards stay as long as they are.
func (h *household) turnOver(ctx context.Context, p *person) error {
	if len(h.tasks) < tasksAHome {
		return h.create(ctx, p)
	}
	oldest := h.tasks[1] // behind the album
	if err := h.book.ask(ctx, p.Phone, remove(oldest.path())); err != nil {
		return err
	}
	oldest.ended = time.Now()
	h.tasks, h.gone = slices.Delete(h.tasks, 1, 2), append(h.gone, oldest)
	return nil
}

func (h *household) create(ctx context.Context, p *person) error {
	_, err := h.plan(ctx, p, &task{title: words("Clean the gutters"), once: len(h.tasks)%4 == 1})
	return err
}

// plan has p make a task.
func (h *household) plan(ctx context.Context, p *person, t *task) (*task, error) {
	frequency := monthly
	if t.once {
		frequency = once
	}
	body := map[string]any{
		"residence_id": h.id, "title": t.title, "description": "Both sides, and the joints; the ladder stands behind the shed.",
		"category_id": 1 + len(h.tasks)%13, "priority_id": 1 + len(h.tasks)%4, "frequency_id": frequency, "due_date": story.Day(len(h.tasks)*7%180 - 90),
	}
	if t.holder != nil {
		body["assigned_to_id"] = t.holder.ID
	}
	var made shownTask
	if err := h.book.ask(ctx, p.Phone, post("/api/tasks/", http.StatusCreated, body, &made)); err != nil {
		return nil, err
	}
	t.id, t.maker = made.ID, p
	h.tasks = append(h.tasks, t)
	return t, nil
}

// give has p make a task for another, who hears of it by mail unless it is gone by then.
func (h *household) give(ctx context.Context, p *person) error {
	to := h.another(p)
	if to == nil {
		return h.turnOver(ctx, p)
	}
	t, err := h.plan(ctx, p, &task{title: words("Bleed the radiators"), holder: to})
	if err != nil {
		return err
	}
	to.given = append(to.given, t)
	h.book.owes(&due{to: to.Email, subject: "For you: " + t.title, from: "tasks", ended: &t.ended})
	// It takes the place of another.
	return h.turnOver(ctx, p)
}

// change writes down what a task will cost.
func (h *household) change(ctx context.Context, p *person) error {
	t := load.OneOf(h.tasks)
	h.changes++
	cost := fmt.Sprintf("%d.%02d", 10+h.changes/100, h.changes%100) // which it never had
	var shown shownTask
	if err := h.book.ask(ctx, p.Phone, patch(t.path(), map[string]any{"estimated_cost": cost}, &shown)); err != nil {
		return err
	}
	t.cost = cost
	return t.is(shown)
}

func (h *household) complete(ctx context.Context, p *person) error {
	t := h.undone()
	var done struct {
		Completion struct{ ID int64 }
		Task       shownTask
	}
	if err := h.book.ask(ctx, p.Phone, post("/api/task-completions/", http.StatusCreated, map[string]any{"task_id": t.id, "notes": "Took an hour"}, &done)); err != nil {
		return err
	}
	t.entries = append(t.entries, &entry{done.Completion.ID, p})
	return t.is(done.Task)
}

// undone is a task that can be completed. Most can at any time.
func (h *household) undone() *task {
	open := slices.DeleteFunc(slices.Clone(h.tasks), (*task).isDone)
	return load.OneOf(open)
}

func (h *household) skip(ctx context.Context, p *person) error {
	t := h.undone()
	if t.once {
		return h.complete(ctx, p)
	}
	var shown shownTask
	if err := h.book.ask(ctx, p.Phone, post(t.path()+"skip/", http.StatusOK, nil, &shown)); err != nil {
		return err
	}
	t.entries = append(t.entries, &entry{0, p})
	return t.is(shown)
}

// takeBack deletes the newest entry of some history, but not of the one with photos.
func (h *household) takeBack(ctx context.Context, p *person) error {
	for _, i := range rand.Perm(len(h.tasks)) {
		t := h.tasks[i]
		if n := len(t.entries); t != h.album && n > 0 && t.entries[n-1].id > 0 {
			last := t.entries[n-1]
			if err := h.book.ask(ctx, p.Phone, remove(fmt.Sprintf("/api/task-completions/%d/", last.id))); err != nil {
				return err
			}
			t.entries = t.entries[:n-1]
			return h.readOf(ctx, p, t)
		}
	}
	return h.complete(ctx, p)
}

// A shownTask is one as an answer has it.
type shownTask struct {
	ID              int64
	Title           string
	ResidenceID     int64   `json:"residence_id"`
	EstimatedCost   *string `json:"estimated_cost"`
	AssignedToID    *int64  `json:"assigned_to_id"`
	CompletionCount int     `json:"completion_count"`
}

// is returns what an answer has of the task that is not as its home knows it.
func (t *task) is(shown shownTask) error {
	switch {
	case shown.ID != t.id || shown.Title != t.title:
		return errors.New("another task was answered")
	case shown.CompletionCount != len(t.completions()):
		return fmt.Errorf("the task has not as many completions as were acknowledged but %d more", shown.CompletionCount-len(t.completions()))
	case t.cost != "" && (shown.EstimatedCost == nil || *shown.EstimatedCost != t.cost):
		return errors.New("a change of the task is lost")
	case t.holder != nil && (shown.AssignedToID == nil || *shown.AssignedToID != t.holder.ID):
		return errors.New("the task is not given to whom it was")
	}
	return nil
}
