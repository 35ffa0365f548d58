package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"

	"github.com/redis/go-redis/v9"
)

const peopleMethod = `Functions auth, residences and tasks. Everybody has a home of 5 tasks and is signed in. Each call is somebody's at random, and Redis
forgets everything before it, so that the token is looked up in the database as well. The token alone is a call that is refused
behind its look-up, for a days_threshold of 0. Nobody signs in here: that is a password's hash, whoever there is.`

const tasksOfSomebody = 5

// measurePeople measures what everybody does, among more and more people.
func measurePeople(ctx context.Context, s *stage, t *table, sizes []int) (err error) {
	options, err := redis.ParseURL(s.Redis.URL(0))
	if err != nil {
		return fmt.Errorf("read address of Redis: %w", err)
	}
	cache := redis.NewClient(options)
	defer func() { err = errors.Join(err, cache.Close()) }()
	forget := func(ctx context.Context) error { return cache.FlushAll(ctx).Err() }
	var people []int64
	for _, size := range sizes {
		came, err := s.Crowd(ctx, size-len(people), tasksOfSomebody)
		if err != nil {
			return err
		}
		people = append(people, came...)
		err = s.with(ctx, t, size, []string{"auth", "residences", "tasks"}, func(at []string) error {
			phone := newPhone()
			defer phone.close()
			for _, c := range []struct {
				name, url string
				status    int
				check     func(body []byte) error
			}{
				{"the account", at[0] + "/api/auth/me/", http.StatusOK, says(`"email":`)},
				{"the homes", at[1] + "/api/residences/my/", http.StatusOK, has(`"summary":`, 1)},
				{"the board", boardAt(at[2], usualAhead), http.StatusOK, hasTasks(tasksOfSomebody)},
				{"the token alone", boardAt(at[2], 0), http.StatusUnprocessableEntity, says("days_threshold")},
			} {
				times, err := phone.repeat(ctx, call{name: c.name, first: forget, check: c.check, fresh: true, next: func(int) request {
					return request{url: c.url, person: people[rand.IntN(len(people))], status: c.status}
				}})
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
	}
	for _, name := range []string{"the account", "the homes", "the board", "the token alone"} {
		t.require(name, goal{short: name, steepest: flat})
	}
	return nil
}
