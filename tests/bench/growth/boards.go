package main

import (
	"context"
	"slices"
)

const boardsMethod = `Function tasks alone; one person, whose tasks are in homes of at most 100. The column of what is completed holds 50 of them, however
many there are. Boards travel packed by gzip to whoever takes that, as the app does; no other answer but an account's export is packed.`

// boardSlope lets a board take as long as it is.
const boardSlope = 1.1

// measureBoards measures boards of more and more tasks.
func measureBoards(ctx context.Context, s *stage, t *table, sizes []int) error {
	for _, size := range sizes {
		people, err := s.People(ctx, 1)
		if err != nil {
			return err
		}
		homes := slices.Repeat(people, max(1, size/tasksAHome))
		if err := s.Settle(ctx, homes, size/len(homes), 1); err != nil {
			return err
		}
		if err := s.Rest(ctx); err != nil {
			return err
		}
		err = s.with(ctx, t, size, []string{"tasks"}, func(at []string) error { return s.measureBoard(ctx, t, size, at[0], people[0]) })
		if err != nil {
			return err
		}
	}
	t.require("board from the cache", goal{short: "board from the cache", steepest: boardSlope})
	t.require("board from the database", goal{short: "board from the database", steepest: boardSlope})
	return nil
}

func (s *stage) measureBoard(ctx context.Context, t *table, size int, url string, person int64) error {
	phone := newPhone()
	defer phone.close()
	kept := board(url, person, size)
	if err := phone.untilKept(ctx, kept.next(0)); err != nil {
		return err
	}
	for _, c := range []call{kept, freshBoards(url, person, size)} {
		times, err := phone.repeat(ctx, c)
		if err != nil {
			return err
		}
		t.times(c.name, size, times)
	}
	for _, form := range []struct {
		name  string
		whole bool
	}{{"packed", false}, {"not packed", true}} {
		r := kept.next(0)
		r.whole = form.whole
		a, err := phone.ask(ctx, r)
		if err != nil {
			return err
		}
		t.add(form.name, kibibytes, point{size: size, p50: float64(a.size) / (1 << 10)})
	}
	return nil
}
