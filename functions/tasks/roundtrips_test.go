package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
)

func TestRoundTrips(t *testing.T) {
	t.Parallel()
	server, counter := functiontest.StartCounted(t, name, handlers)
	b := bundle{Server: server}
	b.people(t)
	b.Base.Cache.Born(t.Context(), b.ann.ID)
	b.post(t, nil)
	id := b.post(t, object{"due_date": "2026-11-21", "frequency_id": 2}).ID
	entry := b.complete(t, id, nil).Completion.ID
	key := functiontest.Header{Name: "Idempotency-Key", Value: "8e0a"}
	for _, c := range []struct {
		what, method, path string
		body               any
		want               int64
	}{
		{"board", "GET", "/api/tasks/", nil, 1},
		{"board from cache", "GET", "/api/tasks/", nil, 0},
		{"board of a home", "GET", "/api/tasks/" + residenceBoard(b.home), nil, 1},
		{"board of a home from cache", "GET", "/api/tasks/" + residenceBoard(b.home), nil, 0},
		{"task", "GET", path(id), nil, 1},
		{"list", "GET", "/api/task-completions/", nil, 1},
		{"search", "GET", "/api/tasks/search/?q=gutters&state=upcoming_tasks", nil, 1},
		{"occurrences", "GET", path(id, "occurrences"), nil, 1},
		{"lookups", "GET", "/api/lookups/", nil, 1},
		{"create", "POST", "/api/tasks/", object{"residence_id": b.home, "title": "x", "assigned_to_id": b.bob.ID}, 4},
		{"create again", "POST", "/api/tasks/", object{"residence_id": b.home, "title": "x", "assigned_to_id": b.bob.ID}, 3},
		{"create many", "POST", "/api/tasks/bulk/", object{"residence_id": b.home, "tasks": []object{{"title": "x"}, {"title": "y", "assigned_to_id": b.bob.ID}}}, 4},
		{"patch", "PATCH", path(id), object{"assigned_to_id": b.bob.ID}, 4},
		{"mark", "POST", path(id, "mark-in-progress"), nil, 4},
		{"skip", "POST", path(id, "skip"), nil, 4},
		{"complete", "POST", "/api/task-completions/", object{"task_id": id}, 4},
		{"correct", "PATCH", completionPath(entry), object{"notes": "x"}, 4},
		{"take back", "DELETE", completionPath(entry + 2), nil, 3},
		{"delete", "DELETE", path(id), nil, 3},
	} {
		before := counter.Counts().RoundTrips
		var headers []functiontest.Header
		if c.path == "/api/tasks/" && c.method == "POST" {
			headers = append(headers, key)
		}
		r := b.Call(t, c.method, c.path, b.ann.Token, c.body, headers...)
		require.Less(t, r.Status, 300, "%s: %s", c.what, r.Body)
		took := counter.Counts().RoundTrips - before
		t.Logf("%-30s %d", c.what, took)
		require.Equal(t, c.want, took, c.what)
	}
}
