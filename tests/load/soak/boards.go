package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/honeydue/backend/tests/load"
)

// A shownBoard is a board as an answer has it.
type shownBoard struct {
	Columns []struct {
		Count int
		Tasks []shownTask
	}
}

// board reads everything that a person has to do: the home's tasks as they stand this very moment, and no others.
func (h *household) board(ctx context.Context, p *person) error {
	return h.readBoard(ctx, p, "/api/tasks/")
}

func (h *household) homeBoard(ctx context.Context, p *person) error {
	return h.readBoard(ctx, p, fmt.Sprintf("/api/tasks/by-residence/%d/", h.id))
}

func (h *household) readBoard(ctx context.Context, p *person, path string) error {
	var shown shownBoard
	if err := h.book.ask(ctx, p.Phone, get(path, &shown)); err != nil {
		return err
	}
	found := map[int64]shownTask{}
	total := 0
	for _, column := range shown.Columns {
		total += column.Count
		for _, t := range column.Tasks {
			if t.ResidenceID != h.id {
				return errStranger
			}
			found[t.ID] = t
		}
	}
	if total != len(h.tasks) || len(found) != len(h.tasks) {
		return fmt.Errorf("the board has %d tasks and counts %d where there are %d", len(found), total, len(h.tasks))
	}
	for _, t := range h.tasks {
		if err := t.is(found[t.id]); err != nil {
			return err
		}
	}
	return nil
}

var errStranger = errors.New("there is something of a stranger's home")

func (h *household) readTask(ctx context.Context, p *person) error {
	return h.readOf(ctx, p, load.OneOf(h.tasks))
}

func (h *household) readOf(ctx context.Context, p *person, t *task) error {
	var shown shownTask
	if err := h.book.ask(ctx, p.Phone, get(t.path(), &shown)); err != nil {
		return err
	}
	return t.is(shown)
}

// search finds the newest tasks of some words, all of them the home's own.
func (h *household) search(ctx context.Context, p *person) error {
	var list struct{ Results []shownTask }
	if err := h.book.ask(ctx, p.Phone, get("/api/tasks/search/?q=gutters", &list)); err != nil {
		return err
	}
	for _, shown := range list.Results {
		if shown.ResidenceID != h.id {
			return errStranger
		}
		if !slices.ContainsFunc(h.tasks, func(t *task) bool { return t.id == shown.ID }) {
			return errors.New("a task was found that is gone")
		}
	}
	return nil
}

// readHistory reads what was done about a task.
func (h *household) readHistory(ctx context.Context, p *person) error {
	t := load.OneOf(h.tasks)
	shown, err := pages[shownEntry](ctx, h.book, p, fmt.Sprintf("/api/task-completions/?task_id=%d", t.id))
	if err != nil {
		return err
	}
	return t.was(shown)
}

// A shownEntry is one of a history as an answer has it.
type shownEntry struct {
	ID     int64
	TaskID int64 `json:"task_id"`
	Kind   string
}

// was returns what a history, in any order, does not have as its home knows it.
func (t *task) was(shown []shownEntry) error {
	skipped, found := 0, map[int64]bool{}
	for _, e := range shown {
		switch {
		case e.TaskID != t.id:
			return errStranger
		case e.Kind == "skipped":
			skipped++
		default:
			found[e.ID] = true
		}
	}
	completions := t.completions()
	for _, e := range completions {
		if !found[e.id] {
			return errors.New("a completion is lost")
		}
	}
	if len(found) != len(completions) {
		return errors.New("the history has completions that nobody made")
	}
	if wanted := len(t.entries) - len(completions); skipped != wanted {
		return fmt.Errorf("the history has %d that was skipped where there are %d", skipped, wanted)
	}
	return nil
}

// pages reads a list to its end.
func pages[T any](ctx context.Context, b *book, p *person, path string) (all []T, err error) {
	for cursor := ""; ; {
		var list struct {
			Results    []T
			NextCursor *string `json:"next_cursor"`
		}
		if err := b.ask(ctx, p.Phone, get(path+"&limit=100"+cursor, &list)); err != nil {
			return nil, err
		}
		all = append(all, list.Results...)
		if list.NextCursor == nil {
			return all, nil
		}
		cursor = "&cursor=" + *list.NextCursor
	}
}

// stranger asks for what is of another home, which is not there for them.
func (h *household) stranger(ctx context.Context, p *person) error {
	other := load.OneOf(h.homes)
	if other == h {
		return h.me(ctx, p)
	}
	// What the other home has may change at this moment; that it is a home does not.
	for _, path := range []string{fmt.Sprintf("/api/residences/%d/", other.id), fmt.Sprintf("/api/residences/%d/users/", other.id), fmt.Sprintf("/api/tasks/by-residence/%d/", other.id)} {
		if err := h.book.ask(ctx, p.Phone, missing(path)); err != nil {
			return err
		}
	}
	return nil
}
