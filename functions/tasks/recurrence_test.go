package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// day writes what a date or its absence looks like in a table.
func day(d *date.Date) string {
	if d == nil {
		return ""
	}
	return d.String()
}

func texts(dates []date.Date) []string {
	all := []string{}
	for _, d := range dates {
		all = append(all, d.String())
	}
	return all
}

func (b *bundle) ahead(t testing.TB, id int64, query string) occurrences {
	t.Helper()
	return functiontest.Read[occurrences](t, b.Call(t, http.MethodGet, path(id, "occurrences")+query, b.vera.Token, nil), 200)
}

func (b *bundle) skip(t testing.TB, id int64, body any) task {
	t.Helper()
	return functiontest.Read[task](t, b.Call(t, http.MethodPost, path(id, "skip"), b.bob.Token, body), 200)
}

// TestRecurrence holds what a task's calls say of its rhythm against each other: what occurrences announces is what
// completing and skipping do. The day is 2026-11-21.
func TestRecurrence(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		due                any
		recurrence         object
		completed, skipped string
		ahead              []string
	}{
		"three months after it was done":    {"2026-10-05", object{"every": 3, "unit": "month", "from": "completion"}, "2027-02-21", "2027-02-21", []string{"2026-10-05", "2027-02-21", "2027-05-21"}},
		"done early, counted from then":     {"2026-12-31", object{"every": 1, "unit": "month", "from": "completion"}, "2026-12-21", "2027-01-31", []string{"2026-12-31", "2027-01-31", "2027-02-28"}},
		"the last day stays the last day":   {"2027-01-31", object{"every": 1, "unit": "month", "on": object{"last_day": true}}, "2027-02-28", "2027-02-28", []string{"2027-01-31", "2027-02-28", "2027-03-31"}},
		"the second Tuesday":                {"2026-12-08", object{"every": 1, "unit": "month", "on": object{"weekday": "tuesday", "nth": 2}}, "2027-01-12", "2027-01-12", []string{"2026-12-08", "2027-01-12", "2027-02-09"}},
		"in season":                         {"2026-10-24", object{"every": 2, "unit": "week", "season": object{"from": "04-01", "to": "10-31"}}, "2027-04-01", "2027-04-01", []string{"2026-10-24", "2027-04-01", "2027-04-10"}},
		"in a season that wraps":            {"2026-11-28", object{"every": 1, "unit": "month", "season": object{"from": "11-15", "to": "01-31"}}, "2026-12-28", "2026-12-28", []string{"2026-11-28", "2026-12-28", "2027-01-28"}},
		"missed dates are kept":             {"2026-11-01", object{"every": 1, "unit": "week", "missed": "keep"}, "2026-11-08", "2026-11-08", []string{"2026-11-01", "2026-11-08", "2026-11-15"}},
		"missed dates are let go":           {"2026-11-01", object{"every": 1, "unit": "week", "missed": "roll"}, "2026-11-22", "2026-11-22", []string{"2026-11-01", "2026-11-22", "2026-11-29"}},
		"ten years late, and kept":          {"2016-11-20", object{"every": 1, "unit": "day"}, "2016-11-21", "2016-11-21", []string{"2016-11-20", "2016-11-21", "2016-11-22"}},
		"ten years late, and let go":        {"2016-11-20", object{"every": 1, "unit": "day", "missed": "roll"}, "2026-11-22", "2026-11-22", []string{"2016-11-20", "2026-11-22", "2026-11-23"}},
		"undated, so from the day it began": {nil, object{"every": 1, "unit": "year"}, "2027-11-21", "2027-11-21", []string{}},
	} {
		fields := object{"due_date": c.due, "recurrence": c.recurrence}
		one, two := b.post(t, fields).ID, b.post(t, fields).ID
		ahead := b.ahead(t, one, "?n=3")
		require.Equal(t, c.ahead, texts(ahead.Occurrences), name)
		require.Equal(t, c.completed, day(ahead.IfCompletedToday), name)
		require.Equal(t, c.skipped, day(ahead.IfSkipped), name)
		require.Equal(t, c.completed, day(b.complete(t, one, nil).Task.NextDueDate), name)
		require.Equal(t, c.skipped, day(b.skip(t, two, nil).NextDueDate), name)
	}
}

func TestRecurrenceIsShownWhole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.Call(t, http.MethodPost, "/api/tasks/", b.ann.Token, object{
		"residence_id": b.home, "title": "Bins", "recurrence": object{"every": 1, "unit": "week"},
	})
	require.JSONEq(t, `{"every": 1, "unit": "week", "from": "due_date", "missed": "keep"}`, jsonField(t, made, "recurrence"))
	id := functiontest.Read[task](t, made, 201).ID
	change := func(fields object) functiontest.Response {
		return b.Call(t, http.MethodPatch, path(id), b.bob.Token, fields)
	}
	whole := object{"every": 2, "unit": "year", "from": "completion", "missed": "roll", "on": object{"last_day": true}, "season": object{"from": "11-01", "to": "02-28"}}
	changed := change(object{"recurrence": whole})
	require.JSONEq(t, `{"every": 2, "unit": "year", "from": "completion", "missed": "roll", "on": {"last_day": true}, "season": {"from": "11-01", "to": "02-28"}}`,
		jsonField(t, changed, "recurrence"))
	require.JSONEq(t, jsonField(t, changed, "recurrence"), jsonField(t, b.Call(t, http.MethodGet, path(id), b.ann.Token, nil), "recurrence"))
	require.JSONEq(t, jsonField(t, changed, "recurrence"), jsonField(t, change(object{"title": "Bins again"}), "recurrence"))

	listed := change(object{"frequency_id": 3})
	require.Equal(t, "null", jsonField(t, listed, "recurrence"))
	require.Equal(t, "3", jsonField(t, listed, "frequency_id"))
	full := change(object{"recurrence": object{"every": 5, "unit": "day"}})
	require.Equal(t, "null", jsonField(t, full, "frequency_id"))
	none := change(object{"recurrence": nil})
	require.Equal(t, "null", jsonField(t, none, "recurrence"))
	require.Equal(t, "null", jsonField(t, none, "frequency_id"))
}

// jsonField returns a field of an answer that went well, as it was written.
func jsonField(t testing.TB, r functiontest.Response, name string) string {
	t.Helper()
	require.Less(t, r.Status, 300, string(r.Body))
	return string(functiontest.Read[map[string]jsonText](t, r, r.Status)[name])
}

// jsonText is a value as it was written.
type jsonText string

func (j *jsonText) UnmarshalJSON(data []byte) error { *j = jsonText(data); return nil }

func TestRecurrenceRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.post(t, object{"frequency_id": 5}).ID
	before := b.snapshot(t)
	for _, c := range []struct {
		where  string
		fields object
	}{
		{"recurrence", object{"frequency_id": 3, "recurrence": object{"every": 1, "unit": "day"}}},
		{"recurrence.on.nth", object{"recurrence": object{"every": 1, "unit": "month", "on": object{"weekday": "tuesday"}}}},
		{"recurrence.on", object{"recurrence": object{"every": 1, "unit": "day", "on": object{"last_day": true}}}},
		{"recurrence.season", object{"recurrence": object{"every": 1, "unit": "year", "on": object{"weekday": "monday", "nth": 5}, "season": object{"from": "02-01", "to": "02-20"}}}},
		{"recurrence.season.from", object{"recurrence": object{"every": 1, "unit": "day", "season": object{"from": "02-30", "to": "03-01"}}}},
		{"recurrence.every", object{"recurrence": object{"every": 0, "unit": "day"}}},
		{"recurrence.unit", object{"recurrence": object{"every": 1, "unit": "fortnight"}}},
		{"recurrence", object{"recurrence": object{"unit": "day"}}},
		{"recurrence", object{"recurrence": object{"every": 1, "unit": "day", "rrule": "FREQ=DAILY"}}},
		{"contractor_id", object{"contractor_id": 987654}},
		{"template_id", object{"template_id": 987654}},
	} {
		require.Equal(t, []string{"body." + c.where}, locations(t, b.Call(t, http.MethodPatch, path(id), b.ann.Token, c.fields)), "%v", c.fields)
		c.fields["residence_id"], c.fields["title"] = b.home, "x"
		require.Equal(t, []string{"body." + c.where}, locations(t, b.Call(t, http.MethodPost, "/api/tasks/", b.ann.Token, c.fields)), "%v", c.fields)
		delete(c.fields, "residence_id")
		bulk := object{"residence_id": b.home, "tasks": []object{{"title": "fine"}, c.fields}}
		require.Equal(t, []string{"body.tasks[1]." + c.where}, locations(t, b.Call(t, http.MethodPost, "/api/tasks/bulk/", b.ann.Token, bulk)), "%v", c.fields)
	}
	require.Equal(t, before, b.snapshot(t))
}

func TestSkip(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.post(t, object{"due_date": "2026-11-20", "frequency_id": 3}).ID
	functiontest.Read[task](t, b.Call(t, http.MethodPost, path(id, "mark-in-progress"), b.ann.Token, nil), 200)
	before := b.get(t, id)
	skipped := b.skip(t, id, object{"occurrence": "2026-11-20", "notes": "It rained"})
	require.Equal(t, "2026-11-27", day(skipped.NextDueDate))
	require.False(t, skipped.InProgress)
	require.Zero(t, skipped.CompletionCount)
	require.Nil(t, skipped.LastCompletedOn)
	require.Equal(t, skipped, b.get(t, id))
	require.Equal(t, skipped, conflict[task](t, b.Call(t, http.MethodPost, path(id, "skip"), b.ann.Token, object{"occurrence": "2026-11-20"})))
	require.Equal(t, skipped, conflict[task](t, b.Call(t, http.MethodPost, "/api/task-completions/", b.ann.Token, object{"task_id": id, "occurrence": "2026-11-20"})))

	entry := b.history(t, id)[0]
	require.Equal(t, kindSkipped, entry.Kind)
	require.Equal(t, "It rained", *entry.Notes)
	require.Equal(t, b.bob.ID, *entry.CompletedByID)
	require.Equal(t, "2026-11-21", entry.CompletedOn.String())
	require.Empty(t, b.Events(t), "nobody is told that something was done")
	functiontest.Refused(t, b.Call(t, http.MethodPatch, completionPath(entry.ID), b.ann.Token, object{"rating": 5}), 409)
	functiontest.Read[completion](t, b.Call(t, http.MethodPatch, completionPath(entry.ID), b.ann.Token, object{"notes": "It poured"}), 200)

	require.Equal(t, 204, b.Call(t, http.MethodDelete, completionPath(entry.ID), b.ann.Token, nil).Status)
	after := b.get(t, id)
	after.UpdatedAt = before.UpdatedAt
	require.Equal(t, before, after)

	for _, fields := range []object{{"due_date": "2026-11-20"}, {"due_date": "9999-12-31", "frequency_id": 8}} {
		last := b.post(t, fields)
		require.Equal(t, last, conflict[task](t, b.Call(t, http.MethodPost, path(last.ID, "skip"), b.ann.Token, nil)))
		require.Nil(t, b.ahead(t, last.ID, "").IfSkipped)
	}
	for _, verb := range []string{"cancel", "archive"} {
		hidden := b.post(t, object{"due_date": "2026-11-20", "frequency_id": 3}).ID
		functiontest.Read[task](t, b.Call(t, http.MethodPost, path(hidden, verb), b.ann.Token, nil), 200)
		functiontest.Refused(t, b.Call(t, http.MethodPost, path(hidden, "skip"), b.ann.Token, nil), 409)
		require.Equal(t, occurrences{Occurrences: []date.Date{}}, b.ahead(t, hidden, ""))
	}
}

func TestSkipOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.post(t, object{"due_date": "2026-11-20", "frequency_id": 3}).ID
	key := functiontest.Header{Name: "Idempotency-Key", Value: "8e0a"}
	first := b.Call(t, http.MethodPost, path(id, "skip"), b.bob.Token, nil, key)
	again := b.Call(t, http.MethodPost, path(id, "skip"), b.bob.Token, nil, key)
	functiontest.Read[task](t, first, 200)
	functiontest.Read[task](t, again, 200)
	require.Equal(t, string(first.Body), string(again.Body))
	require.Equal(t, "true", again.Header.Get("Idempotent-Replay"))
	require.Len(t, b.history(t, id), 1)
	require.Equal(t, string(first.Body), string(b.Call(t, http.MethodPost, path(id, "skip"), b.bob.Token, object{}, key).Body))
	functiontest.Refused(t, b.Call(t, http.MethodPost, path(id, "skip"), b.bob.Token, object{"notes": "x"}, key), 422)
}

// TestADateThatComesAgain: counted from completion, a date can be due again on the day on which it was completed.
func TestADateThatComesAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.post(t, object{"due_date": "2026-11-21", "recurrence": object{"every": 1, "unit": "day", "from": "completion"}}).ID
	body := object{"task_id": id, "occurrence": "2026-11-21", "completed_on": "2026-11-20"}
	first := functiontest.Read[completed](t, b.Call(t, http.MethodPost, "/api/task-completions/", b.ann.Token, body), 201)
	require.Equal(t, "2026-11-21", day(first.Task.NextDueDate))
	require.Equal(t, first.Task, conflict[task](t, b.Call(t, http.MethodPost, "/api/task-completions/", b.bob.Token, body)))
	functiontest.Refused(t, b.Call(t, http.MethodPost, path(id, "skip"), b.bob.Token, object{"occurrence": "2026-11-22"}), 409)
	body["completed_on"] = "2026-11-21"
	next := functiontest.Read[completed](t, b.Call(t, http.MethodPost, "/api/task-completions/", b.bob.Token, body), 201)
	require.Equal(t, "2026-11-22", day(next.Task.NextDueDate))

	season := object{"every": 1, "unit": "week", "from": "completion", "season": object{"from": "04-01", "to": "10-31"}}
	id = b.post(t, object{"due_date": "2027-04-01", "recurrence": season}).ID
	body = object{"task_id": id, "occurrence": "2027-04-01", "completed_on": "2026-11-20"}
	require.Equal(t, "2027-04-01", day(b.complete(t, id, body).Task.NextDueDate))
	body["completed_on"] = "2026-11-21"
	conflict[task](t, b.Call(t, http.MethodPost, "/api/task-completions/", b.bob.Token, body))
	require.Equal(t, 1, b.get(t, id).CompletionCount)

	// What is done once and was opened again is due again on the same day because somebody said so.
	id = b.post(t, object{"due_date": "2026-11-21"}).ID
	b.complete(t, id, object{"occurrence": "2026-11-21"})
	for _, due := range []string{"2026-11-22", "2026-11-21"} {
		functiontest.Read[task](t, b.Call(t, http.MethodPatch, path(id), b.ann.Token, object{"due_date": due}), 200)
	}
	require.Equal(t, 2, b.complete(t, id, object{"occurrence": "2026-11-21"}).Task.CompletionCount)
}

// TestWrittenUpLate: a rule that counts from completion counts from the last one.
func TestWrittenUpLate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.post(t, object{"due_date": "2026-11-21", "recurrence": object{"every": 3, "unit": "month", "from": "completion"}}).ID
	require.Equal(t, "2027-02-21", day(b.complete(t, id, nil).Task.NextDueDate))
	require.Equal(t, "2027-02-21", day(b.complete(t, id, object{"completed_on": "2025-01-10"}).Task.NextDueDate))
	require.Equal(t, []string{"body.completed_on"}, locations(t,
		b.Call(t, http.MethodPost, "/api/task-completions/", b.ann.Token, object{"task_id": id, "completed_on": "1899-12-31"})))
}

// TestUndoRestores takes a whole history back, entry by entry, although dates were edited in between.
func TestUndoRestores(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.post(t, object{"due_date": "2026-01-31", "recurrence": object{"every": 1, "unit": "month"}}).ID
	var states []task
	step := func(do func()) {
		states = append(states, b.get(t, id))
		do()
	}
	step(func() { b.complete(t, id, object{"completed_on": "2026-02-03"}) })
	step(func() { b.skip(t, id, nil) })
	require.Equal(t, "2026-03-31", day(b.get(t, id).NextDueDate))
	step(func() {
		b.complete(t, id, nil)
		functiontest.Read[task](t, b.Call(t, http.MethodPatch, path(id), b.ann.Token, object{"due_date": "2026-12-24", "title": "Renamed", "frequency_id": 3}), 200)
	})
	entries := b.history(t, id)
	require.Len(t, entries, 3)
	require.Equal(t, []kind{kindCompleted, kindSkipped, kindCompleted}, []kind{entries[0].Kind, entries[1].Kind, entries[2].Kind})
	for i, e := range entries {
		for _, older := range entries[i+1:] {
			conflict[task](t, b.Call(t, http.MethodDelete, completionPath(older.ID), b.ann.Token, nil))
		}
		require.Equal(t, 204, b.Call(t, http.MethodDelete, completionPath(e.ID), b.bob.Token, nil).Status)
		restored, want := b.get(t, id), states[len(states)-1-i]
		want.UpdatedAt, want.Title = restored.UpdatedAt, "Renamed"
		require.Equal(t, want, restored)
	}
}

// TestUndoOfWhatWasCancelled: that it was completed is taken back, that it was cancelled is not.
func TestUndoOfWhatWasCancelled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.post(t, object{"due_date": "2026-11-20"}).ID
	done := b.complete(t, id, nil)
	functiontest.Read[task](t, b.Call(t, http.MethodPost, path(id, "cancel"), b.ann.Token, nil), 200)
	require.Equal(t, 204, b.Call(t, http.MethodDelete, completionPath(done.Completion.ID), b.ann.Token, nil).Status)
	after := b.get(t, id)
	require.True(t, after.IsCancelled)
	require.Equal(t, "2026-11-20", day(after.NextDueDate))
	require.Zero(t, after.CompletionCount)
}

// TestWhoLeftStaysInTheHistory: that entry is no one's to change, and does not stand before the completion.
func TestWhoLeftStaysInTheHistory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.post(t, object{"due_date": "2026-11-20", "frequency_id": 3}).ID
	before := b.get(t, id)
	done := b.complete(t, id, nil)
	b.Exec(t, `INSERT INTO task_taskcompletion (task_id, kind, completed_by_id, unassigned_id, completed_on, occurrence_on, before_in_progress)
		VALUES ($1, 'unassigned', $2, $3, '2026-11-21', '2026-11-27', false)`, id, b.ann.ID, b.bob.ID)
	left := b.history(t, id)[0]
	require.Equal(t, kindUnassigned, left.Kind)
	require.Equal(t, b.bob.ID, *left.UnassignedID)
	require.Equal(t, done.Task, conflict[task](t, b.Call(t, http.MethodDelete, completionPath(left.ID), b.ann.Token, nil)))
	functiontest.Refused(t, b.Call(t, http.MethodPatch, completionPath(left.ID), b.ann.Token, object{"notes": "x"}), 409)
	require.Equal(t, 204, b.Call(t, http.MethodDelete, completionPath(done.Completion.ID), b.ann.Token, nil).Status)
	after := b.get(t, id)
	after.UpdatedAt = before.UpdatedAt
	require.Equal(t, before, after)
}

// history returns the entries of a task, newest first.
func (b *bundle) history(t testing.TB, id int64) []completion {
	t.Helper()
	r := b.Call(t, http.MethodGet, fmt.Sprintf("/api/task-completions/?task_id=%d", id), b.vera.Token, nil)
	return functiontest.Read[struct{ Results []completion }](t, r, 200).Results
}

func TestBulk(t *testing.T) {
	t.Parallel()
	b := setup(t)
	wanted := []object{}
	for i := range 50 {
		wanted = append(wanted, object{"title": fmt.Sprintf("Task %d", i), "assigned_to_id": b.bob.ID, "due_date": "2026-12-01"})
	}
	wanted[7]["recurrence"] = object{"every": 1, "unit": "year", "season": object{"from": "03-01", "to": "05-31"}}
	key := functiontest.Header{Name: "Idempotency-Key", Value: "8e0a"}
	r := b.Call(t, http.MethodPost, "/api/tasks/bulk/", b.ann.Token, object{"residence_id": b.home, "tasks": wanted}, key)
	made := functiontest.Read[createdTasks](t, r, 201).Tasks
	require.Len(t, made, 50)
	for i, m := range made {
		require.Equal(t, fmt.Sprintf("Task %d", i), m.Title)
		require.Equal(t, m, b.get(t, m.ID))
	}
	require.Len(t, b.Events(t), 50)
	again := b.Call(t, http.MethodPost, "/api/tasks/bulk/", b.ann.Token, object{"residence_id": b.home, "tasks": wanted}, key)
	require.Equal(t, string(r.Body), string(again.Body))
	shown := functiontest.Read[kanban](t, b.Call(t, http.MethodGet, "/api/tasks/", b.bob.Token, nil), 200)
	require.Equal(t, 50, shown.Columns[1].Count)

	before := b.snapshot(t)
	wanted[49]["category_id"] = 987654
	bulk := func(token string, body object) functiontest.Response {
		return b.Call(t, http.MethodPost, "/api/tasks/bulk/", token, body)
	}
	require.Equal(t, []string{"body.tasks[49].category_id"}, locations(t, bulk(b.ann.Token, object{"residence_id": b.home, "tasks": wanted})))
	wanted[49] = object{"title": "For a stranger", "assigned_to_id": b.sam.ID}
	require.Equal(t, []string{"body.tasks[49].assigned_to_id"}, locations(t, bulk(b.ann.Token, object{"residence_id": b.home, "tasks": wanted})))
	wanted[49] = object{"title": "  "}
	require.Equal(t, []string{"body.tasks[49].title"}, locations(t, bulk(b.ann.Token, object{"residence_id": b.home, "tasks": wanted})))
	require.Equal(t, []string{"body.tasks"}, locations(t, bulk(b.ann.Token, object{"residence_id": b.home, "tasks": append(wanted, wanted...)})))
	require.Equal(t, []string{"body.tasks"}, locations(t, bulk(b.ann.Token, object{"residence_id": b.home, "tasks": []object{}})))
	fine := object{"residence_id": b.home, "tasks": wanted[:1]}
	functiontest.Refused(t, bulk(b.vera.Token, fine), 403)
	functiontest.Refused(t, bulk(b.sam.Token, fine), 404)
	require.Equal(t, before, b.snapshot(t))
}

func TestSearch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	second := b.Home(t, b.ann)
	ids := map[string]int64{
		"late":      b.post(t, object{"title": "Clean 100% of the GUTTERS", "due_date": "2026-11-20"}).ID,
		"soon":      b.post(t, object{"title": "Boiler", "description": "Look at the gutters too", "due_date": "2026-11-22", "assigned_to_id": b.bob.ID}).ID,
		"later":     b.post(t, object{"title": "Paint", "due_date": "2027-11-22"}).ID,
		"elsewhere": b.post(t, object{"title": "Gutters", "residence_id": second}).ID,
		"cancelled": b.post(t, object{"title": "Roof_1"}).ID,
		"archived":  b.post(t, object{"title": "Roof 1", "due_date": "2026-11-20"}).ID,
		"working":   b.post(t, object{"title": "Fence"}).ID,
		"done":      b.post(t, object{"title": "Lock"}).ID,
	}
	for name, verb := range map[string]string{"cancelled": "cancel", "archived": "archive", "working": "mark-in-progress"} {
		functiontest.Read[task](t, b.Call(t, http.MethodPost, path(ids[name], verb), b.ann.Token, nil), 200)
	}
	b.complete(t, ids["done"], nil)
	b.Call(t, http.MethodPost, "/api/tasks/", b.sam.Token, object{"residence_id": b.samsHome, "title": "Gutters of a stranger"})
	for query, want := range map[string]string{
		"":                                     "done working archived cancelled elsewhere later soon late",
		"q=gutters":                            "elsewhere soon late",
		"q=100%25":                             "late",
		"q=%20roof_%20":                        "cancelled",
		"q=nothing":                            "",
		"state=overdue_tasks":                  "late",
		"state=due_soon_tasks":                 "soon",
		"state=upcoming_tasks":                 "elsewhere later",
		"state=in_progress_tasks":              "working",
		"state=completed_tasks":                "done",
		"state=cancelled":                      "cancelled",
		"state=archived":                       "archived",
		"q=roof&state=archived":                "archived",
		fmt.Sprintf("residence_id=%d", second): "elsewhere",
		fmt.Sprintf("residence_id=%d", b.samsHome):          "",
		fmt.Sprintf("assigned_to_id=%d", b.bob.ID):          "soon",
		fmt.Sprintf("assigned_to_id=%d&q=boiler", b.ann.ID): "",
	} {
		for _, limit := range []string{"limit=100", "limit=2"} {
			require.Equal(t, want, b.found(t, ids, query+"&"+limit), query)
		}
	}
	require.Equal(t, []string{"query.state"}, locations(t, b.Call(t, http.MethodGet, "/api/tasks/search/?state=lost", b.ann.Token, nil)))
}

// found returns the names of the tasks that a search gives ann, page by page.
func (b *bundle) found(t testing.TB, ids map[string]int64, query string) string {
	t.Helper()
	var names []string
	cursor := ""
	for {
		r := b.Call(t, http.MethodGet, "/api/tasks/search/?"+query+cursor, b.ann.Token, nil)
		list := functiontest.Read[struct {
			Results    []task
			NextCursor *string `json:"next_cursor"`
		}](t, r, 200)
		for _, found := range list.Results {
			for name, id := range ids {
				if id == found.ID {
					names = append(names, name)
				}
			}
		}
		if list.NextCursor == nil {
			return strings.Join(names, " ")
		}
		cursor = "&cursor=" + *list.NextCursor
	}
}
