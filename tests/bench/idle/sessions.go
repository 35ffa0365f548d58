package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/honeydue/backend/knative/local/mailbox"
	"github.com/honeydue/backend/tests/cluster"
	"github.com/honeydue/backend/tests/story"
)

// A resident has a home and tasks, and opens the app.
type resident struct {
	*story.Person

	told  string // who gets a mail about each task that is ticked off
	tasks []int64
}

// Calls of one time that somebody opens the app: the first five are what the app asks for when it comes to the foreground, the last one
// ticks a task off, which is an event.
var opened = [...]string{"/api/auth/me/", "/api/residences/my/", "/api/tasks/", "/api/lookups/", "/api/notifications/"}

const callsASession = len(opened) + 1

// trusted has the addresses of new accounts count as proved: news goes to no other address.
const trusted = `ALTER TABLE auth_user ALTER COLUMN email_verified_at SET DEFAULT now()`

// settleIn makes the resident, somebody who lives with them and is told what they do, and as many tasks as a home has.
func (b *bench) settleIn(ctx context.Context) (*resident, error) {
	if err := b.Postgres.Exec(ctx, cluster.Database, trusted); err != nil {
		return nil, fmt.Errorf("trust addresses: %w", err)
	}
	person, err := story.Register(ctx, b.Phone(), "Ida")
	if err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	told, err := story.Register(ctx, b.Phone(), "Ivo")
	if err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	r := &resident{Person: person, told: told.Email}
	home, err := story.Share(ctx, person, told)
	if err != nil {
		return nil, err
	}
	const weekly = 3
	for i := range tasksAHome {
		var made struct{ ID int64 }
		task := map[string]any{"residence_id": home, "title": fmt.Sprintf("Look after thing %d", i), "frequency_id": weekly, "due_date": story.Day(i)}
		if err := person.Create(ctx, "/api/tasks/", http.StatusCreated, task, &made); err != nil {
			return nil, err
		}
		r.tasks = append(r.tasks, made.ID)
	}
	return r, nil
}

// openApp is a session.
func (r *resident) openApp(ctx context.Context) error {
	for _, path := range opened {
		if err := r.Read(ctx, path, nil); err != nil {
			return err
		}
	}
	r.tasks = append(r.tasks[1:], r.tasks[0])
	return r.Create(ctx, "/api/task-completions/", http.StatusCreated, map[string]any{"task_id": r.tasks[0]}, nil)
}

// mails counts those about tasks that were ticked off.
func (b *bench) mails(r *resident) (n int) {
	for _, m := range b.Mailbox.Messages() {
		if aboutTask(m, r.told) {
			n++
		}
	}
	return n
}

func aboutTask(m mailbox.Message, address string) bool {
	return slices.Contains(m.To, address) && strings.Contains(strings.ToLower(m.Subject+m.Text), "completed")
}
