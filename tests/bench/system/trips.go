package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/honeydue/backend/knative/local"
	"github.com/honeydue/backend/shared/devserver/wire"
	"github.com/honeydue/backend/tests/story"

	"github.com/honeydue/backend/tests/bench/report"
)

// Targets of network round trips to the database, since it may be an ocean away.
const (
	cachedTrips = 0
	readTrips   = 2
	writeTrips  = 4
)

type measured struct {
	by                 *story.Person
	name, method, path string
	body               any
	target             int64
}

// benchTrips prints how many statements and round trips each call costs, counted on the wire with warm processes and a warm
// token cache, and returns whether all targets are met.
func benchTrips(ctx context.Context, out io.Writer, s *local.System, counter *wire.Counter) (bool, error) {
	done, err := story.MainJob(ctx, story.At(s.URL))
	if err != nil {
		return false, fmt.Errorf("story: %w", err)
	}
	// The functions publish and send after they have answered; the counts begin when that is over.
	if err := quiet(ctx, counter); err != nil {
		return false, err
	}
	_, _ = fmt.Fprint(out, "\nStatements and network round trips to PostgreSQL per call, counted on the wire before the answer\n\n")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "call\tstatements\tround trips\ttarget\t\t")
	met := true
	share, err := shareCode(ctx, done)
	if err != nil {
		return false, err
	}
	guest, err := story.Register(ctx, story.NewPhone(s.URL), "Gus")
	if err != nil {
		return false, fmt.Errorf("register: %w", err)
	}
	if err := guest.Read(ctx, "/api/auth/me/", nil); err != nil {
		return false, err
	}
	if err := quiet(ctx, counter); err != nil {
		return false, err
	}
	for _, m := range append(accountCalls(guest, share), calls(done)...) {
		before := counter.Counts()
		answer, err := m.by.Call(ctx, m.method, m.path, m.body, "")
		after := counter.Counts().Sub(before)
		if err != nil || answer.Status >= http.StatusBadRequest {
			return false, fmt.Errorf("%s: answered %d: %w", m.name, answer.Status, err)
		}
		ok := after.RoundTrips <= m.target
		met = met && ok
		_, _ = fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%s\t\n", m.name, after.Statements, after.RoundTrips, m.target, report.Verdict(ok))
		if err := quiet(ctx, counter); err != nil {
			return false, err
		}
	}
	return met, table.Flush()
}

func calls(done *story.Done) []measured {
	get, post, patch, remove := http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	home, task := fmt.Sprintf("/api/residences/%d/", done.Residence), fmt.Sprintf("/api/tasks/%d/", done.Task)
	work := map[string]any{"residence_id": done.Residence, "title": "Wash the windows", "due_date": story.Day(32), "assigned_to_id": done.Member.ID}
	rows := []measured{
		{name: "board, all homes, first", method: get, path: "/api/tasks/", target: readTrips},
		{name: "board, all homes, from cache", method: get, path: "/api/tasks/", target: cachedTrips},
		{name: "board of one home, first", method: get, path: fmt.Sprintf("/api/tasks/by-residence/%d/", done.Residence), target: readTrips},
		{name: "board of one home, from cache", method: get, path: fmt.Sprintf("/api/tasks/by-residence/%d/", done.Residence), target: cachedTrips},
		{name: "task", method: get, path: task, target: readTrips},
		{name: "completions", method: get, path: fmt.Sprintf("/api/task-completions/?task_id=%d", done.Task), target: readTrips},
		{name: "search", method: get, path: "/api/tasks/search/?q=gutters", target: readTrips},
		{name: "occurrences", method: get, path: task + "occurrences/", target: readTrips},
		{name: "templates", method: get, path: "/api/tasks/templates/", target: readTrips},
		{name: "suggestions", method: get, path: fmt.Sprintf("/api/tasks/suggestions/?residence_id=%d", done.Residence), target: readTrips},
		{name: "lookups", method: get, path: "/api/lookups/", target: readTrips},
		{name: "create task", method: post, path: "/api/tasks/", body: work, target: writeTrips},
		{name: "create 50 tasks", method: post, path: "/api/tasks/bulk/", body: map[string]any{"residence_id": done.Residence, "tasks": slices.Repeat([]any{map[string]any{"title": "Sweep", "assigned_to_id": done.Member.ID}}, 50)}, target: writeTrips},
		{name: "change task", method: patch, path: task, body: map[string]any{"title": "Clean all gutters"}, target: writeTrips},
		{name: "mark in progress", method: post, path: task + "mark-in-progress/", target: writeTrips},
		{name: "complete task", method: post, path: "/api/task-completions/", body: map[string]any{"task_id": done.Task}, target: writeTrips},
		{name: "skip task", method: post, path: task + "skip/", target: writeTrips},
		{name: "create contractor", method: post, path: "/api/contractors/", body: map[string]any{"residence_id": done.Residence, "name": "Joan Marsh", "specialty_ids": []int{14}}, target: writeTrips},
		{name: "contractors", method: get, path: "/api/contractors/", target: readTrips},
		{name: "homes", method: get, path: "/api/residences/", target: readTrips},
		{name: "homes with summaries", method: get, path: "/api/residences/my/", target: readTrips},
		{name: "home", method: get, path: home, target: readTrips},
		{name: "members", method: get, path: home + "users/", target: readTrips},
		{name: "create home", method: post, path: "/api/residences/", body: map[string]any{"name": "Hut"}, target: writeTrips},
		{name: "change home", method: patch, path: home, body: map[string]any{"city": "Austin"}, target: writeTrips},
		{name: "share home", method: post, path: home + "share/", body: map[string]any{}, target: writeTrips},
		{name: "me", method: get, path: "/api/auth/me/", target: readTrips},
		{name: "change me", method: patch, path: "/api/auth/me/", body: map[string]any{"first_name": "Olivia"}, target: writeTrips},
		{name: "sessions", method: get, path: "/api/auth/sessions/", target: readTrips},
		{name: "delete task", method: remove, path: task, target: writeTrips},
		{name: "delete home", method: remove, path: home, target: writeTrips},
		{name: "log out", method: post, path: "/api/auth/logout/", target: writeTrips},
	}
	for i := range rows {
		rows[i].by = done.Owner
	}
	return rows
}

// shareCode lets the next person into the home of the story.
func shareCode(ctx context.Context, done *story.Done) (string, error) {
	var share struct{ Code string }
	answer, err := done.Owner.Call(ctx, http.MethodPost, fmt.Sprintf("/api/residences/%d/share/", done.Residence), map[string]any{}, "")
	if err != nil {
		return "", fmt.Errorf("share home: %w", err)
	}
	if err := answer.Decode(http.StatusCreated, &share); err != nil {
		return "", fmt.Errorf("share home: %w", err)
	}
	return share.Code, nil
}

// accountCalls are those that guess or send mail, and therefore count tries as well.
func accountCalls(guest *story.Person, share string) []measured {
	rows := []measured{
		{name: "register", path: "/api/auth/register/", body: map[string]any{"email": "new." + guest.Email, "password": story.Password}},
		{name: "log in", path: "/api/auth/login/", body: map[string]any{"email": guest.Email, "password": story.Password}},
		{name: "join home", path: "/api/residences/join/", body: map[string]any{"code": share}},
		{name: "resend code", path: "/api/auth/resend-verification/"},
		{name: "forgot password", path: "/api/auth/forgot-password/", body: map[string]any{"email": guest.Email}},
		{name: "change email", path: "/api/auth/change-email/", body: map[string]any{"new_email": "other." + guest.Email, "password": story.Password}},
		{name: "change password", path: "/api/auth/change-password/", body: map[string]any{"current_password": story.Password, "new_password": "other " + story.Password}},
	}
	for i := range rows {
		rows[i].by, rows[i].method, rows[i].target = guest, http.MethodPost, writeTrips
	}
	return rows
}

// quiet returns once nothing has passed the counter for a while.
func quiet(ctx context.Context, counter *wire.Counter) error {
	for last := counter.Counts(); ; {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for silence: %w", ctx.Err())
		case <-time.After(silence):
		}
		now := counter.Counts()
		if now == last {
			return nil
		}
		last = now
	}
}
