package main

import (
	"context"
	"fmt"
	"time"
)

const tasksMethod = `Function tasks alone. Who asks has 100 tasks and an entry of history for each, which were there before the tasks of others came;
others have 100 tasks each and an entry for every fifth. Creating tells the other person of the home by an event, under a key.
Everything is inserted by SQL, then vacuumed, analysed and written to the disk.`

// crowdFactor is how much longer a board may take among 1,000,000 tasks of others, and among as many as there are here at most.
const (
	crowdFactor = 1.3
	crowdSize   = 1_000_000
	crowdMost   = 10_000_000
)

// flat is the slope of what must not grow with what others have. It leaves room for an index that is a level deeper.
const flat = 0.1

// measureTasks measures what function tasks does, among more and more tasks of others.
func measureTasks(ctx context.Context, s *stage, t *table, sizes []int) error {
	there := 0
	for _, size := range sizes {
		ours, err := s.couples(ctx, 3)
		if err != nil {
			return err
		}
		began := time.Now()
		if _, err := s.Crowd(ctx, (size-there)/tasksAHome, tasksAHome); err != nil {
			return err
		}
		filled := time.Since(began)
		there = size
		err = s.with(ctx, t, size, []string{"tasks"}, func(at []string) error {
			phone := newPhone()
			defer phone.close()
			url, reader, creator, completer := at[0], ours[0], ours[1], ours[2]
			kept := board(url, reader.person, tasksAHome)
			if err := phone.untilKept(ctx, kept.next(0)); err != nil {
				return err
			}
			for _, c := range []call{
				freshBoards(url, reader.person, tasksAHome), kept, creating(url, creator), completing(url, completer), history(url, reader.person), search(url, reader.person),
			} {
				times, err := phone.repeat(ctx, c)
				if err != nil {
					return err
				}
				t.times(c.name, size, times)
			}
			return nil
		})
		if err != nil {
			return err
		}
		bytes, err := s.disk(ctx)
		if err != nil {
			return err
		}
		t.memory("database on disk", size, bytes)
		t.add("inserting what was added", seconds, point{size: size, p50: filled.Seconds()})
	}
	for _, name := range []string{"board from the cache", "create a task", "complete a task", "a page of history", "search"} {
		t.require(name, goal{short: name, steepest: flat})
	}
	t.require("board from the database", goal{short: "board", at: []int{crowdSize, crowdMost}, times: crowdFactor, steepest: flat})
	return nil
}

// disk is how many bytes the database and its log take.
func (s *stage) disk(ctx context.Context) (bytes int64, err error) {
	const size = `SELECT (pg_database_size(current_database()) + (SELECT sum(size) FROM pg_ls_waldir()))::bigint`
	if err := s.DB.QueryRow(ctx, size).Scan(&bytes); err != nil {
		return 0, fmt.Errorf("measure database: %w", err)
	}
	return bytes, nil
}
