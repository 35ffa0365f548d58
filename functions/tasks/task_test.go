package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/board"
	"github.com/honeydue/backend/shared/function/functiontest"
)

func TestCreateTask(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.Call(t, http.MethodPost, "/api/tasks/", b.bob.Token, object{
		"residence_id": b.home, "title": "  Clean the gutters ", "description": "Both sides", "category_id": 11, "priority_id": 2,
		"frequency_id": 7, "due_date": "2026-12-01", "assigned_to_id": b.ann.ID, "estimated_cost": "129.9",
	})
	made := functiontest.Read[object](t, r, 201)
	for field, want := range map[string]any{
		"residence_id": float64(b.home), "title": "Clean the gutters", "description": "Both sides", "category_id": 11.0, "priority_id": 2.0,
		"frequency_id": 7.0, "due_date": "2026-12-01", "next_due_date": "2026-12-01", "assigned_to_id": float64(b.ann.ID),
		"estimated_cost": "129.90", "kanban_column": "due_soon_tasks", "is_cancelled": false, "is_archived": false, "in_progress": false,
		"button_types":      []any{"edit", "complete", "cancel", "mark_in_progress"},
		"last_completed_on": nil, "completion_count": 0.0, "created_by_id": float64(b.bob.ID),
	} {
		require.Equal(t, want, made[field], field)
	}
	require.Len(t, made, 24)
	require.True(t, strings.HasSuffix(made["created_at"].(string), "Z"))
	read := b.Call(t, http.MethodGet, path(int64(made["id"].(float64))), b.vera.Token, nil)
	made["next_reminder"] = nil // which this call alone says, and which nobody who only looks on has
	require.Equal(t, made, functiontest.Read[object](t, read, 200))

	bare := b.post(t, nil)
	require.Nil(t, bare.DueDate)
	require.Equal(t, place(board.Upcoming), bare.KanbanColumn)
	require.Equal(t, []string{
		`com.myhoneydue.task.assigned.v1 {"task_id": 1, "actor_id": 2, "assignee_id": 1, "residence_id": 1}`,
	}, b.Events(t))
}

func TestAssigning(t *testing.T) {
	t.Parallel()
	b := setup(t)
	own := b.post(t, object{"assigned_to_id": b.ann.ID})
	require.Empty(t, b.Events(t), "nobody is told what they did themselves")

	stranger := b.Call(t, http.MethodPatch, path(own.ID), b.ann.Token, object{"assigned_to_id": b.sam.ID})
	nobody := b.Call(t, http.MethodPatch, path(own.ID), b.ann.Token, object{"assigned_to_id": 987654})
	require.Equal(t, []string{"body.assigned_to_id"}, locations(t, stranger))
	require.Equal(t, string(nobody.Body), string(stranger.Body))
	for _, token := range []string{b.ann.Token, b.ann.Token, b.bob.Token} {
		changed := functiontest.Read[task](t, b.Call(t, http.MethodPatch, path(own.ID), token, object{"assigned_to_id": b.bob.ID}), 200)
		require.Equal(t, b.bob.ID, *changed.AssignedToID)
	}
	require.Len(t, b.Events(t), 1, "given once, kept twice")
	functiontest.Read[task](t, b.Call(t, http.MethodPatch, path(own.ID), b.bob.Token, object{"assigned_to_id": nil}), 200)
	functiontest.Read[task](t, b.Call(t, http.MethodPatch, path(own.ID), b.bob.Token, object{"assigned_to_id": b.bob.ID}), 200)
	require.Len(t, b.Events(t), 1)
	require.Equal(t, []string{"body.assigned_to_id"}, locations(t,
		b.Call(t, http.MethodPost, "/api/tasks/", b.ann.Token, object{"residence_id": b.home, "title": "x", "assigned_to_id": b.sam.ID})))
}

func TestCreateTaskOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key := functiontest.Header{Name: "Idempotency-Key", Value: "8e0a"}
	body := object{"residence_id": b.home, "title": "Once", "due_date": "2026-12-01"}
	first := b.Call(t, http.MethodPost, "/api/tasks/", b.ann.Token, body, key)
	again := b.Call(t, http.MethodPost, "/api/tasks/", b.ann.Token, body, key)
	functiontest.Read[task](t, first, 201)
	functiontest.Read[task](t, again, 201)
	require.Equal(t, string(first.Body), string(again.Body))
	require.Equal(t, "true", again.Header.Get("Idempotent-Replay"))
	body["title"] = "Another"
	functiontest.Refused(t, b.Call(t, http.MethodPost, "/api/tasks/", b.ann.Token, body, key), 422)
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM task_task`))
}

func TestPatchTask(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.post(t, object{"description": "Both sides", "due_date": "2026-01-31", "frequency_id": 5, "estimated_cost": "10"})
	patch := func(fields object) task {
		return functiontest.Read[task](t, b.Call(t, http.MethodPatch, path(made.ID), b.bob.Token, fields), 200)
	}
	same := patch(object{})
	same.UpdatedAt = made.UpdatedAt
	require.Equal(t, made, same)

	cleared := patch(object{"description": nil, "estimated_cost": nil, "title": " Sweep "})
	require.Nil(t, cleared.Description)
	require.Nil(t, cleared.EstimatedCost)
	require.Equal(t, "Sweep", cleared.Title)
	require.Equal(t, made.FrequencyID, cleared.FrequencyID)

	b.complete(t, made.ID, nil)
	require.Equal(t, "2026-02-28", patch(object{"due_date": "2026-01-31"}).NextDueDate.String(), "a form that sends everything back undoes nothing")
	require.Equal(t, "2026-02-28", patch(object{"frequency_id": 3}).NextDueDate.String())
	moved := patch(object{"due_date": "2026-03-05", "frequency_id": 5})
	require.Equal(t, "2026-03-05", moved.NextDueDate.String())
	require.Equal(t, "2026-04-05", b.complete(t, made.ID, nil).Task.NextDueDate.String())
	before := b.snapshot(t)
	require.Equal(t, []string{"body.due_date"}, locations(t, b.Call(t, http.MethodPatch, path(made.ID), b.bob.Token, object{"due_date": nil})))
	require.Equal(t, before, b.snapshot(t), "without a date it would count as done")
	never := b.post(t, object{"due_date": "2026-01-31"})
	require.Nil(t, functiontest.Read[task](t, b.Call(t, http.MethodPatch, path(never.ID), b.bob.Token, object{"due_date": nil}), 200).NextDueDate)
}

// TestARhythmForWhatIsDone: the task goes on, from the day of its last completion.
func TestARhythmForWhatIsDone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		fields object
		next   string
	}{
		"of the list":           {object{"frequency_id": 5}, "2026-12-20"},
		"in full":               {object{"recurrence": object{"every": 1, "unit": "week", "from": "completion"}}, "2026-11-25"},
		"with a date":           {object{"frequency_id": 5, "due_date": "2027-01-15"}, "2027-01-15"},
		"for what is done once": {object{"frequency_id": 1}, ""},
	} {
		id := b.post(t, object{"due_date": "2026-11-20"}).ID
		b.complete(t, id, object{"completed_on": "2026-11-18"})
		changed := functiontest.Read[task](t, b.Call(t, http.MethodPatch, path(id), b.bob.Token, c.fields), 200)
		require.Equal(t, c.next, day(changed.NextDueDate), name)
	}
}

func TestMoves(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.post(t, object{"due_date": "2026-11-20"}).ID
	move := func(verb string) task {
		return functiontest.Read[task](t, b.Call(t, http.MethodPost, path(id, verb), b.bob.Token, nil), 200)
	}
	due := []string{"edit", "complete", "cancel", "mark_in_progress"}
	for _, step := range []struct {
		verb    string
		column  board.Column
		buttons []string
	}{
		{"clear-in-progress", board.Overdue, due},
		{"mark-in-progress", board.InProgress, []string{"edit", "complete", "cancel"}},
		{"mark-in-progress", board.InProgress, []string{"edit", "complete", "cancel"}},
		{"cancel", board.Hidden, []string{"uncancel"}},
		{"cancel", board.Hidden, []string{"uncancel"}},
		{"archive", board.Hidden, []string{"uncancel", "unarchive"}},
		{"uncancel", board.Hidden, []string{"unarchive"}},
		{"unarchive", board.InProgress, []string{"edit", "complete", "cancel"}},
		{"clear-in-progress", board.Overdue, due},
	} {
		moved := move(step.verb)
		require.Equal(t, place(step.column), moved.KanbanColumn, step.verb)
		require.Equal(t, step.buttons, moved.ButtonTypes, step.verb)
		require.Equal(t, moved, b.get(t, id))
	}
	mark := func() functiontest.Response {
		return b.Call(t, http.MethodPost, path(id, "mark-in-progress"), b.ann.Token, nil)
	}
	for _, verbs := range [][2]string{{"cancel", "uncancel"}, {"archive", "unarchive"}} {
		hidden := move(verbs[0])
		require.Equal(t, hidden, conflict[task](t, mark()))
		move(verbs[1])
	}
	done := b.complete(t, id, nil).Task
	require.Equal(t, []string{"view"}, done.ButtonTypes)
	require.Equal(t, done, conflict[task](t, mark()))
}

func TestDeleteTask(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.post(t, nil).ID
	b.complete(t, id, nil)
	require.Equal(t, 204, b.Call(t, http.MethodDelete, path(id), b.bob.Token, nil).Status)
	functiontest.Refused(t, b.Call(t, http.MethodDelete, path(id), b.bob.Token, nil), 404)
	functiontest.Refused(t, b.Call(t, http.MethodGet, path(id), b.bob.Token, nil), 404)
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM task_taskcompletion`))
}

// TestRefused calls every operation as somebody who may not.
func TestRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.post(t, nil).ID
	entry := b.complete(t, id, nil).Completion.ID
	completion := strings.Replace(path(entry), "tasks", "task-completions", 1)
	before := b.snapshot(t)
	for _, c := range []struct {
		method, path string
		body         any
		stranger     int
		viewer       int
	}{
		{"POST", "/api/tasks/", object{"residence_id": b.home, "title": "x"}, 404, 403},
		{"GET", "/api/tasks/", nil, 200, 200},
		{"GET", strings.Replace(path(b.home), "tasks", "tasks/by-residence", 1), nil, 404, 200},
		{"GET", path(id), nil, 404, 200},
		{"PATCH", path(id), object{"title": "x"}, 404, 403},
		{"DELETE", path(id), nil, 404, 403},
		{"POST", path(id, "mark-in-progress"), nil, 404, 403},
		{"POST", path(id, "clear-in-progress"), nil, 404, 403},
		{"POST", path(id, "cancel"), nil, 404, 403},
		{"POST", path(id, "uncancel"), nil, 404, 403},
		{"POST", path(id, "archive"), nil, 404, 403},
		{"POST", path(id, "unarchive"), nil, 404, 403},
		{"POST", path(id, "skip"), nil, 404, 403},
		{"GET", path(id, "occurrences"), nil, 404, 200},
		{"GET", "/api/tasks/search/", nil, 200, 200},
		{"POST", "/api/tasks/bulk/", object{"residence_id": b.home, "tasks": []object{{"title": "x"}}}, 404, 403},
		{"POST", "/api/task-completions/", object{"task_id": id}, 404, 403},
		{"GET", "/api/task-completions/", nil, 200, 200},
		{"PATCH", completion, object{"notes": "x"}, 404, 403},
		{"DELETE", completion, nil, 404, 403},
	} {
		nobody := b.Call(t, c.method, c.path, "", c.body)
		functiontest.Refused(t, nobody, 401)
		require.Equal(t, "Token", nobody.Header.Get("Www-Authenticate"))
		for token, want := range map[string]int{b.sam.Token: c.stranger, b.vera.Token: c.viewer} {
			r := b.Call(t, c.method, c.path, token, c.body)
			require.Equal(t, want, r.Status, "%s %s: %s", c.method, c.path, r.Body)
			if want != 200 {
				functiontest.Refused(t, r, want)
			}
		}
	}
	require.Equal(t, before, b.snapshot(t))
	require.NotContains(t, string(b.Call(t, "GET", "/api/tasks/", b.sam.Token, nil).Body), "gutters")
	require.JSONEq(t, `{"results":[],"next_cursor":null}`, string(b.Call(t, "GET", "/api/task-completions/?task_id=1", b.sam.Token, nil).Body))
}

func TestContractorOfTheHome(t *testing.T) {
	t.Parallel()
	b := setup(t)
	contractor := func(home int64) int64 {
		return functiontest.Value[int64](t, b.Server, `INSERT INTO residence_contractor (residence_id, name) VALUES ($1, 'Joan') RETURNING id`, home)
	}
	own, foreign := contractor(b.home), contractor(b.samsHome)
	made := b.post(t, object{"contractor_id": own})
	require.Equal(t, own, *made.ContractorID)
	nobody := b.Call(t, http.MethodPatch, path(made.ID), b.ann.Token, object{"contractor_id": 987654})
	stranger := b.Call(t, http.MethodPatch, path(made.ID), b.ann.Token, object{"contractor_id": foreign})
	require.Equal(t, []string{"body.contractor_id"}, locations(t, stranger))
	require.Equal(t, string(nobody.Body), string(stranger.Body), "who is whose contractor is nobody's business")
	require.Equal(t, made, b.get(t, made.ID))
	b.Exec(t, `DELETE FROM residence_contractor WHERE id = $1`, own)
	require.Nil(t, b.get(t, made.ID).ContractorID)
}

// TestNoUploadIsThere: photos cannot be sent yet, so that whatever id is named is not there.
func TestNoUploadIsThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.post(t, nil).ID
	functiontest.Refused(t, b.Call(t, http.MethodPost, "/api/task-completions/", b.ann.Token, object{"task_id": id, "upload_ids": []int{1}}), 404)
	require.Zero(t, b.get(t, id).CompletionCount)
	require.Empty(t, b.complete(t, id, object{"upload_ids": []int{}}).Completion.Images)
}

// TestBadInput sends what no operation takes; nothing may change, and nothing sent may come back.
func TestBadInput(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.post(t, object{"due_date": "2026-11-20", "frequency_id": 2}).ID
	entry := b.complete(t, id, nil).Completion.ID
	completion := strings.Replace(path(entry), "tasks", "task-completions", 1)
	before := b.snapshot(t)
	create := func(fields object) object {
		body := object{"residence_id": b.home, "title": "x"}
		for key, value := range fields {
			body[key] = value
		}
		return body
	}
	long := strings.Repeat("secret", 1000)
	for name, c := range map[string]struct {
		method, path string
		body         any
		at           string
	}{
		"no title":              {"POST", "/api/tasks/", object{"residence_id": b.home}, "body"},
		"blank title":           {"POST", "/api/tasks/", create(object{"title": " \t"}), "body.title"},
		"long title":            {"POST", "/api/tasks/", create(object{"title": long}), "body.title"},
		"null title":            {"POST", "/api/tasks/", create(object{"title": nil}), "body.title"},
		"long description":      {"POST", "/api/tasks/", create(object{"description": long}), "body.description"},
		"no such category":      {"POST", "/api/tasks/", create(object{"category_id": 99}), "body.category_id"},
		"no such priority":      {"POST", "/api/tasks/", create(object{"priority_id": 99}), "body.priority_id"},
		"no such frequency":     {"POST", "/api/tasks/", create(object{"frequency_id": 99}), "body.frequency_id"},
		"negative category":     {"POST", "/api/tasks/", create(object{"category_id": -1}), "body.category_id"},
		"fraction of an id":     {"POST", "/api/tasks/", create(object{"category_id": 1.5}), "body.category_id"},
		"huge id":               {"POST", "/api/tasks/", create(object{"category_id": json.Number("98765432109876543210")}), ""},
		"date with a time":      {"POST", "/api/tasks/", create(object{"due_date": "2026-11-21T00:00:00Z"}), "body.due_date"},
		"30 February":           {"POST", "/api/tasks/", create(object{"due_date": "2026-02-30"}), "body.due_date"},
		"year 0":                {"POST", "/api/tasks/", create(object{"due_date": "0000-01-01"}), ""},
		"money as a number":     {"POST", "/api/tasks/", create(object{"estimated_cost": 12.5}), "body.estimated_cost"},
		"money in thirds":       {"POST", "/api/tasks/", create(object{"estimated_cost": "1.333"}), "body.estimated_cost"},
		"too much money":        {"POST", "/api/tasks/", create(object{"estimated_cost": "12345678901"}), "body.estimated_cost"},
		"debt":                  {"POST", "/api/tasks/", create(object{"estimated_cost": "-1"}), "body.estimated_cost"},
		"unknown field":         {"POST", "/api/tasks/", create(object{"secret": 1}), "body"},
		"patch blank title":     {"PATCH", path(id), object{"title": " "}, "body.title"},
		"patch null title":      {"PATCH", path(id), object{"title": nil}, "body.title"},
		"patch home":            {"PATCH", path(id), object{"residence_id": b.samsHome}, "body"},
		"patch state":           {"PATCH", path(id), object{"is_cancelled": true}, "body"},
		"patch no category":     {"PATCH", path(id), object{"category_id": 99}, "body.category_id"},
		"patch 30 February":     {"PATCH", path(id), object{"due_date": "2026-02-30"}, "body.due_date"},
		"patch money":           {"PATCH", path(id), object{"estimated_cost": "secret"}, "body.estimated_cost"},
		"id zero":               {"GET", "/api/tasks/0/", nil, "path.id"},
		"id of letters":         {"GET", "/api/tasks/secret/", nil, "path.id"},
		"threshold of nothing":  {"GET", "/api/tasks/?days_threshold=0", nil, "query.days_threshold"},
		"threshold of ages":     {"GET", "/api/tasks/?days_threshold=366", nil, "query.days_threshold"},
		"unknown query":         {"GET", "/api/tasks/?secret=1", nil, "query"},
		"complete nothing":      {"POST", "/api/task-completions/", object{}, "body"},
		"complete next week":    {"POST", "/api/task-completions/", object{"task_id": id, "completed_on": "2026-11-23"}, "body.completed_on"},
		"no stars":              {"POST", "/api/task-completions/", object{"task_id": id, "rating": 0}, "body.rating"},
		"six stars":             {"POST", "/api/task-completions/", object{"task_id": id, "rating": 6}, "body.rating"},
		"long notes":            {"POST", "/api/task-completions/", object{"task_id": id, "notes": long}, "body.notes"},
		"wrong cost":            {"POST", "/api/task-completions/", object{"task_id": id, "actual_cost": "1,50"}, "body.actual_cost"},
		"wrong occurrence":      {"POST", "/api/task-completions/", object{"task_id": id, "occurrence": "tomorrow"}, "body.occurrence"},
		"eleven photos":         {"POST", "/api/task-completions/", object{"task_id": id, "upload_ids": make([]int, 11)}, "body.upload_ids"},
		"skip what":             {"POST", path(id, "skip"), object{"secret": 1}, "body"},
		"skip wrong occurrence": {"POST", path(id, "skip"), object{"occurrence": "tomorrow"}, "body.occurrence"},
		"no dates":              {"GET", path(id, "occurrences") + "?n=0", nil, "query.n"},
		"a thousand dates":      {"GET", path(id, "occurrences") + "?n=1000", nil, "query.n"},
		"search of bytes":       {"GET", "/api/tasks/search/?q=%ff", nil, "query.q"},
		"search of nothing":     {"GET", "/api/tasks/search/?q=secret%00", nil, "query.q"},
		"patch completed never": {"PATCH", completion, object{"completed_on": nil}, "body.completed_on"},
		"patch next week":       {"PATCH", completion, object{"completed_on": "2026-11-23"}, "body.completed_on"},
		"patch six stars":       {"PATCH", completion, object{"rating": 6}, "body.rating"},
		"patch the task":        {"PATCH", completion, object{"task_id": 1}, "body"},
		"page of a thousand":    {"GET", "/api/task-completions/?limit=1000", nil, "query.limit"},
		"cursor of nowhere":     {"GET", "/api/task-completions/?cursor=secret", nil, "query.cursor"},
	} {
		r := b.Call(t, c.method, c.path, b.ann.Token, c.body)
		require.Contains(t, []int{400, 422}, r.Status, "%s: %s", name, r.Body)
		functiontest.Refused(t, r, r.Status)
		require.NotContains(t, string(r.Body), "secret", name)
		if c.at != "" {
			require.Equal(t, []string{c.at}, locations(t, r), "%s: %s", name, r.Body)
		}
	}
	require.Equal(t, before, b.snapshot(t))
}
