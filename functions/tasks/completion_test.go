package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/board"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/page"
)

func TestCompleteOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.post(t, object{"due_date": "2026-11-30", "frequency_id": 1})
	functiontest.Read[task](t, b.Call(t, http.MethodPost, path(made.ID, "mark-in-progress"), b.ann.Token, nil), 200)
	r := b.Call(t, http.MethodPost, "/api/task-completions/", b.bob.Token, object{
		"task_id": made.ID, "occurrence": "2026-11-30", "completed_on": "2026-11-22", "notes": "Took an hour", "actual_cost": "12.5", "rating": 5,
	})
	done := functiontest.Read[object](t, r, 201)
	entry := done["completion"].(map[string]any)
	require.NotEmpty(t, entry["created_at"])
	delete(entry, "created_at")
	require.Equal(t, map[string]any{
		"id": 1.0, "task_id": float64(made.ID), "kind": "completed", "unassigned_id": nil, "completed_by_id": float64(b.bob.ID), "completed_on": "2026-11-22", "occurrence": "2026-11-30",
		"notes": "Took an hour", "actual_cost": "12.50", "rating": 5.0, "images": []any{},
	}, entry)
	after := b.get(t, made.ID)
	require.Equal(t, after, functiontest.Read[completed](t, r, 201).Task)
	require.Nil(t, after.NextDueDate)
	require.Equal(t, "2026-11-30", after.DueDate.String())
	require.False(t, after.InProgress)
	require.Equal(t, place(board.Completed), after.KanbanColumn)
	require.Equal(t, "2026-11-22", after.LastCompletedOn.String())
	require.Equal(t, 1, after.CompletionCount)
	require.Equal(t, []string{
		`com.myhoneydue.task.completed.v1 {"task_id": 1, "actor_id": 2, "residence_id": 1, "completion_id": 1}`,
	}, b.Events(t))

	before := b.snapshot(t)
	for _, body := range []object{{"task_id": made.ID}, {"task_id": made.ID, "occurrence": "2026-11-30"}, {"task_id": made.ID, "occurrence": nil}} {
		require.Equal(t, after, conflict[task](t, b.Call(t, http.MethodPost, "/api/task-completions/", b.ann.Token, body)))
	}
	require.Equal(t, before, b.snapshot(t))
}

func TestCompleteHidden(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, verb := range []string{"cancel", "archive"} {
		id := b.post(t, nil).ID
		hidden := functiontest.Read[task](t, b.Call(t, http.MethodPost, path(id, verb), b.ann.Token, nil), 200)
		require.Equal(t, hidden, conflict[task](t, b.Call(t, http.MethodPost, "/api/task-completions/", b.ann.Token, object{"task_id": id})))
	}
	require.Empty(t, b.Events(t))
}

// TestRhythms completes a task several times and looks at what is due next. The day is 2026-11-21.
func TestRhythms(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		due       any
		frequency int
		on, next  []string
	}{
		"daily, missed for days":       {"2026-11-10", 2, []string{"2026-11-21", "2026-11-21"}, []string{"2026-11-11", "2026-11-12"}},
		"weekly, early":                {"2026-11-30", 3, []string{"2026-11-21", "2026-11-21"}, []string{"2026-12-07", "2026-12-14"}},
		"every 2 weeks":                {"2026-11-21", 4, []string{"2026-11-21"}, []string{"2026-12-05"}},
		"monthly on the 31st":          {"2026-01-31", 5, []string{"2026-01-31", "2026-02-27", "2026-03-01"}, []string{"2026-02-28", "2026-03-31", "2026-04-30"}},
		"quarterly":                    {"2026-08-31", 6, []string{"2026-09-01", "2026-11-21"}, []string{"2026-11-30", "2027-02-28"}},
		"every 6 months":               {"2026-08-31", 7, []string{"2026-09-01"}, []string{"2027-02-28"}},
		"yearly on 29 February":        {"2020-02-29", 8, []string{"2020-03-01", "2021-03-01", "2022-03-01", "2023-03-01"}, []string{"2021-02-28", "2022-02-28", "2023-02-28", "2024-02-29"}},
		"no due date":                  {nil, 5, []string{"2026-10-31", "2026-11-21"}, []string{"2026-11-30", "2026-12-21"}},
		"no due date, twice one day":   {nil, 2, []string{"2026-11-21", "2026-11-21"}, []string{"2026-11-22", "2026-11-23"}},
		"no due date, written up late": {nil, 5, []string{"2026-11-10", "2026-03-10"}, []string{"2026-12-10", "2027-01-10"}},
		"end of the calendar":          {"9999-12-31", 8, []string{"2026-11-21"}, []string{""}},
	} {
		id := b.post(t, object{"due_date": c.due, "frequency_id": c.frequency}).ID
		for i, on := range c.on {
			done := b.complete(t, id, object{"completed_on": on})
			next := ""
			if done.Task.NextDueDate != nil {
				next = done.Task.NextDueDate.String()
			}
			require.Equal(t, c.next[i], next, "%s, %d", name, i)
		}
	}
}

func TestCompletedOnIsTheCallersToday(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for zone, today := range map[string]string{"Pacific/Kiritimati": "2026-11-22", "Etc/GMT+12": "2026-11-21", "": "2026-11-21"} {
		r := b.Call(t, http.MethodPost, "/api/task-completions/", b.ann.Token, object{"task_id": b.post(t, nil).ID},
			functiontest.Header{Name: "X-Timezone", Value: zone})
		require.Equal(t, today, functiontest.Read[completed](t, r, 201).Completion.CompletedOn.String(), zone)
	}
}

func TestStaleOccurrence(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.post(t, object{"due_date": "2026-11-21", "frequency_id": 3}).ID
	first := b.complete(t, id, object{"occurrence": "2026-11-21"})
	before := b.snapshot(t)
	for _, stale := range []any{"2026-11-21", "2026-12-05", nil} {
		r := b.Call(t, http.MethodPost, "/api/task-completions/", b.bob.Token, object{"task_id": id, "occurrence": stale})
		require.Equal(t, first.Task, conflict[task](t, r))
	}
	require.Equal(t, before, b.snapshot(t))
	require.Equal(t, "2026-12-05", b.complete(t, id, object{"occurrence": "2026-11-28"}).Task.NextDueDate.String())

	undated := b.post(t, object{"frequency_id": 3}).ID
	b.complete(t, undated, object{"occurrence": nil})
	conflict[task](t, b.Call(t, http.MethodPost, "/api/task-completions/", b.bob.Token, object{"task_id": undated, "occurrence": nil}))
}

func TestCompletionOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.post(t, object{"due_date": "2026-11-21", "frequency_id": 3}).ID
	key := functiontest.Header{Name: "Idempotency-Key", Value: "8e0a"}
	first := b.Call(t, http.MethodPost, "/api/task-completions/", b.ann.Token, object{"task_id": id}, key)
	again := b.Call(t, http.MethodPost, "/api/task-completions/", b.ann.Token, object{"task_id": id}, key)
	functiontest.Read[completed](t, first, 201)
	require.Equal(t, string(first.Body), string(again.Body))
	require.Equal(t, "true", again.Header.Get("Idempotent-Replay"))
	require.Equal(t, 1, b.get(t, id).CompletionCount)
	require.Len(t, b.Events(t), 1)
}

func TestDeleteCompletion(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.post(t, object{"due_date": "2026-01-31", "frequency_id": 5}).ID
	states, entries := []task{}, []int64{}
	for i := range 3 {
		verb := []string{"mark-in-progress", "clear-in-progress"}[i%2]
		states = append(states, functiontest.Read[task](t, b.Call(t, http.MethodPost, path(id, verb), b.ann.Token, nil), 200))
		entries = append(entries, b.complete(t, id, object{"completed_on": fmt.Sprintf("2026-0%d-15", 9-i)}).Completion.ID)
	}
	now := b.get(t, id)
	require.Equal(t, "2026-09-15", now.LastCompletedOn.String(), "the last day, not the last entry")
	require.Equal(t, now, conflict[task](t, b.Call(t, http.MethodDelete, completionPath(entries[1]), b.ann.Token, nil)))
	for i := 2; i >= 0; i-- {
		require.Equal(t, 204, b.Call(t, http.MethodDelete, completionPath(entries[i]), b.bob.Token, nil).Status)
		restored := b.get(t, id)
		restored.UpdatedAt = states[i].UpdatedAt
		require.Equal(t, states[i], restored)
		functiontest.Refused(t, b.Call(t, http.MethodDelete, completionPath(entries[i]), b.bob.Token, nil), 404)
	}
}

func TestPatchCompletion(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.post(t, object{"due_date": "2026-01-31", "frequency_id": 5}).ID
	b.complete(t, id, object{"completed_on": "2026-02-01"})
	done := b.complete(t, id, object{"completed_on": "2026-03-01", "notes": "x", "rating": 3, "actual_cost": "7"})
	r := b.Call(t, http.MethodPatch, completionPath(done.Completion.ID), b.bob.Token, object{"completed_on": "2026-01-15", "notes": nil, "rating": 4})
	want := done.Completion
	patched := functiontest.Read[completion](t, r, 200)
	require.Equal(t, "2026-01-15", patched.CompletedOn.String())
	want.CompletedOn, want.Notes, want.Rating = patched.CompletedOn, nil, new(4)
	require.Equal(t, want, patched)
	after := b.get(t, id)
	require.Equal(t, "2026-02-01", after.LastCompletedOn.String())
	require.Equal(t, done.Task.NextDueDate, after.NextDueDate)
}

func TestListCompletions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	second := b.Home(t, b.ann)
	daily := b.post(t, object{"frequency_id": 2}).ID
	other := b.post(t, object{"residence_id": second}).ID
	for range 4 {
		b.complete(t, daily, nil)
	}
	b.complete(t, other, nil)
	list := func(token, query string) ([]int64, *string) {
		r := b.Call(t, http.MethodGet, "/api/task-completions/"+query, token, nil)
		found := functiontest.Read[page.List[completion]](t, r, 200)
		ids := []int64{}
		for _, c := range found.Results {
			ids = append(ids, c.ID)
		}
		return ids, found.NextCursor
	}
	for query, want := range map[string][]int64{
		"":                                      {5, 4, 3, 2, 1},
		fmt.Sprintf("?task_id=%d", daily):       {4, 3, 2, 1},
		fmt.Sprintf("?residence_id=%d", second): {5},
		fmt.Sprintf("?residence_id=%d&task_id=%d", second, daily): {},
		"?residence_id=987654": {},
		fmt.Sprintf("?residence_id=%d&task_id=%d", b.home, daily):      {4, 3, 2, 1},
		fmt.Sprintf("?residence_id=%d&task_id=%d", b.samsHome, 987654): {},
	} {
		ids, next := list(b.ann.Token, query)
		require.Equal(t, want, ids, query)
		require.Nil(t, next)
	}
	ids, _ := list(b.vera.Token, "")
	require.Equal(t, []int64{4, 3, 2, 1}, ids)

	var all []int64
	query := "?limit=2"
	for pages := 1; ; pages++ {
		ids, next := list(b.ann.Token, query)
		all = append(all, ids...)
		if next == nil {
			require.Equal(t, 3, pages)
			break
		}
		query = "?limit=2&cursor=" + *next
	}
	require.Equal(t, []int64{5, 4, 3, 2, 1}, all)
}

func completionPath(id int64) string {
	return strings.Replace(path(id), "tasks", "task-completions", 1)
}
