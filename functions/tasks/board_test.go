package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/board"
	"github.com/honeydue/backend/shared/function/functiontest"
)

func (b *bundle) board(t testing.TB, p functiontest.Person, more string, headers ...functiontest.Header) kanban {
	t.Helper()
	r := b.Call(t, http.MethodGet, "/api/tasks/"+more, p.Token, nil, headers...)
	require.Equal(t, "application/json", r.Header.Get("Content-Type"))
	require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
	return functiontest.Read[kanban](t, r, 200)
}

// titles returns what stands in each column that is not empty.
func (k kanban) titles() map[board.Column][]string {
	titles := map[board.Column][]string{}
	for _, column := range k.Columns {
		for _, task := range column.Tasks {
			titles[column.Name] = append(titles[column.Name], task.Title)
		}
	}
	return titles
}

func residenceBoard(id int64) string { return fmt.Sprintf("by-residence/%d/", id) }

func TestEmptyBoard(t *testing.T) {
	t.Parallel()
	b := setup(t)
	want := `{"columns":[
		{"name":"overdue_tasks","display_name":"Overdue","color":"#FF3B30","button_types":["edit","complete","cancel","mark_in_progress"],"count":0,"tasks":[]},
		{"name":"due_soon_tasks","display_name":"Due Soon","color":"#FF9500","button_types":["edit","complete","cancel","mark_in_progress"],"count":0,"tasks":[]},
		{"name":"upcoming_tasks","display_name":"Upcoming","color":"#007AFF","button_types":["edit","complete","cancel","mark_in_progress"],"count":0,"tasks":[]},
		{"name":"in_progress_tasks","display_name":"In Progress","color":"#5856D6","button_types":["edit","complete","cancel"],"count":0,"tasks":[]},
		{"name":"completed_tasks","display_name":"Completed","color":"#34C759","button_types":["view"],"count":0,"tasks":[]}],
		"days_threshold":30}`
	require.JSONEq(t, want, string(b.Call(t, http.MethodGet, "/api/tasks/", b.ann.Token, nil).Body))
	require.JSONEq(t, want, string(b.Call(t, http.MethodGet, "/api/tasks/"+residenceBoard(b.home), b.vera.Token, nil).Body))
	threshold := strings.Replace(want, ":30}", ":7}", 1)
	require.JSONEq(t, threshold, string(b.Call(t, http.MethodGet, "/api/tasks/?days_threshold=7", b.ann.Token, nil).Body))
	require.JSONEq(t, threshold, string(b.Call(t, http.MethodGet, "/api/tasks/"+residenceBoard(b.home)+"?days_threshold=7", b.ann.Token, nil).Body))
}

func TestBoard(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.born(t)
	second := b.Home(t, b.ann)
	for _, fields := range []object{
		{"title": "late", "due_date": "2026-11-20"},
		{"title": "later", "due_date": "2026-11-19"},
		{"title": "today", "due_date": "2026-11-21"},
		{"title": "in 30 days", "due_date": "2026-12-21"},
		{"title": "undated"},
		{"title": "in 31 days", "due_date": "2026-12-22"},
		{"title": "elsewhere", "due_date": "2026-11-20", "residence_id": second},
	} {
		b.post(t, fields)
	}
	for _, verb := range []string{"cancel", "archive", "mark-in-progress"} {
		id := b.post(t, object{"title": verb, "due_date": "2026-11-01"}).ID
		require.Equal(t, 200, b.Call(t, http.MethodPost, path(id, verb), b.ann.Token, nil).Status)
	}
	for _, on := range []string{"2026-11-02", "2026-11-03", "2026-11-02"} {
		b.complete(t, b.post(t, object{"title": "done " + on, "due_date": "2026-11-01"}).ID, object{"completed_on": on})
	}
	want := map[board.Column][]string{
		board.Overdue:    {"later", "late"},
		board.DueSoon:    {"today", "in 30 days"},
		board.Upcoming:   {"in 31 days", "undated"},
		board.InProgress: {"mark-in-progress"},
		board.Completed:  {"done 2026-11-03", "done 2026-11-02", "done 2026-11-02"},
	}
	for range 2 { // the second time from the cache
		one := b.board(t, b.vera, residenceBoard(b.home))
		require.Equal(t, want, one.titles())
		require.Equal(t, want, b.board(t, b.bob, "").titles())
	}
	all := b.board(t, b.ann, "")
	require.Equal(t, []string{"later", "late", "elsewhere"}, all.titles()[board.Overdue])
	require.Equal(t, 3, all.Columns[0].Count)
	for _, column := range all.Columns {
		for _, task := range column.Tasks {
			require.Equal(t, place(column.Name), task.KanbanColumn)
			require.Equal(t, column.ButtonTypes, task.ButtonTypes)
		}
	}
	require.Equal(t, []string{"today"}, b.board(t, b.bob, "?days_threshold=29").titles()[board.DueSoon])

	// On the other side of the date line it is tomorrow already.
	kiritimati := functiontest.Header{Name: "X-Timezone", Value: "Pacific/Kiritimati"}
	tomorrow := b.board(t, b.bob, "", kiritimati).titles()
	require.Equal(t, []string{"later", "late", "today"}, tomorrow[board.Overdue])
	require.Equal(t, []string{"in 30 days", "in 31 days"}, tomorrow[board.DueSoon])
	require.Equal(t, want, b.board(t, b.bob, "").titles())
}

func TestCompletedColumnHoldsTheLatest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `INSERT INTO task_task (residence_id, title, last_completed_on, completion_count)
		SELECT $1, 'done ' || n, date '2026-01-01' + n, 1 FROM generate_series(1, 60) n`, b.home)
	column := b.board(t, b.ann, "").Columns[4]
	require.Equal(t, 60, column.Count)
	require.Len(t, column.Tasks, completedShown)
	require.Equal(t, "done 60", column.Tasks[0].Title)
	require.Equal(t, "done 11", column.Tasks[49].Title)
}

// TestBoardShowsEveryWrite reads everyone's boards after each kind of write, on another process than the one that wrote.
func TestBoardShowsEveryWrite(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.born(t)
	other := functiontest.StartOn(t, b.DB, name, handlers)
	reader := bundle{Server: other}
	var id, entry int64
	steps := []struct {
		name string
		do   func()
		want map[board.Column][]string
	}{
		{"create", func() { id = b.post(t, object{"title": "a", "due_date": "2026-11-20", "frequency_id": 2}).ID }, map[board.Column][]string{board.Overdue: {"a"}}},
		{"patch", func() { b.Call(t, "PATCH", path(id), b.bob.Token, object{"title": "b"}) }, map[board.Column][]string{board.Overdue: {"b"}}},
		{"mark", func() { b.Call(t, "POST", path(id, "mark-in-progress"), b.bob.Token, nil) }, map[board.Column][]string{board.InProgress: {"b"}}},
		{"complete", func() { entry = b.complete(t, id, nil).Completion.ID }, map[board.Column][]string{board.DueSoon: {"b"}}},
		{"take back", func() { b.Call(t, "DELETE", completionPath(entry), b.bob.Token, nil) }, map[board.Column][]string{board.InProgress: {"b"}}},
		{"cancel", func() { b.Call(t, "POST", path(id, "cancel"), b.bob.Token, nil) }, map[board.Column][]string{}},
		{"uncancel", func() { b.Call(t, "POST", path(id, "uncancel"), b.bob.Token, nil) }, map[board.Column][]string{board.InProgress: {"b"}}},
		{"delete", func() { b.Call(t, "DELETE", path(id), b.bob.Token, nil) }, map[board.Column][]string{}},
	}
	for _, step := range steps {
		step.do()
		for _, p := range []functiontest.Person{b.ann, b.bob, b.vera} {
			for range 2 {
				require.Equal(t, step.want, reader.board(t, p, "").titles(), step.name)
				require.Equal(t, step.want, reader.board(t, p, residenceBoard(b.home)).titles(), step.name)
			}
		}
	}
}

func TestBoardOfAHomeThatOneLeft(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.born(t)
	b.post(t, object{"title": "a"})
	require.NotEmpty(t, b.board(t, b.bob, residenceBoard(b.home)).titles())
	settle := b.Base.Cache.Mark(t.Context(), []int64{b.bob.ID})
	b.Exec(t, `DELETE FROM residence_member WHERE user_id = $1`, b.bob.ID)
	settle(t.Context())
	functiontest.Refused(t, b.Call(t, http.MethodGet, "/api/tasks/"+residenceBoard(b.home), b.bob.Token, nil), 404)
	require.Empty(t, b.board(t, b.bob, "").titles())
}

func TestBoardsArePackedForWhoTakesThat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.born(t)
	b.post(t, object{"title": "Gutters"})
	read := func(accept string) (encoding string, body []byte) {
		r := b.Call(t, http.MethodGet, "/api/tasks/", b.ann.Token, nil, functiontest.Header{Name: "Accept-Encoding", Value: accept})
		require.Equal(t, 200, r.Status)
		require.Equal(t, "Accept-Encoding", r.Header.Get("Vary"))
		return r.Header.Get("Content-Encoding"), r.Body
	}
	for range 2 { // the second time from the cache
		encoding, whole := read("identity")
		require.Empty(t, encoding)
		require.Contains(t, string(whole), "Gutters")
		for accept, want := range map[string]string{
			"gzip": "gzip", "br, gzip;q=0.8": "gzip", "GZIP ; q=1": "gzip", "gzip;q=0": "", "gzip; q=0.0": "", "br": "", "x-gzipped": "",
		} {
			encoding, body := read(accept)
			require.Equal(t, want, encoding, accept)
			if encoding == "gzip" {
				var err error
				body, err = packed(body).unpack()
				require.NoError(t, err)
			}
			require.JSONEq(t, string(whole), string(body), accept)
		}
	}
}
