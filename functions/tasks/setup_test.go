package main

import (
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/problem"
)

func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }

// noon is when every test happens, unless it says otherwise.
var noon = time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC)

// A bundle is a home of ann's, where bob works and vera looks; sam is a stranger with a home of his own.
type bundle struct {
	*functiontest.Server
	ann, bob, vera, sam functiontest.Person
	home, samsHome      int64
}

func setup(t testing.TB) bundle {
	t.Helper()
	b := bundle{Server: functiontest.Start(t, name, handlers)}
	b.people(t)
	return b
}

// handlers are the function's, on a clock that stands still.
func handlers(base *function.Base) func(huma.API) {
	base.Now = func() time.Time { return noon }
	return newService(base, nil).routes
}

func (b *bundle) people(t testing.TB) {
	t.Helper()
	b.ann, b.bob, b.vera, b.sam = b.Person(t, "ann"), b.Person(t, "bob"), b.Person(t, "vera"), b.Person(t, "sam")
	b.home, b.samsHome = b.Home(t, b.ann), b.Home(t, b.sam)
	b.Join(t, b.home, b.bob, home.Member)
	b.Join(t, b.home, b.vera, home.Viewer)
}

type object map[string]any

// post creates a task of ann's in the home, with fields on top of the required ones.
func (b *bundle) post(t testing.TB, fields object) task {
	t.Helper()
	body := object{"residence_id": b.home, "title": "Clean the gutters"}
	for key, value := range fields {
		body[key] = value
	}
	return functiontest.Read[task](t, b.Call(t, http.MethodPost, "/api/tasks/", b.ann.Token, body), 201)
}

// complete completes a task as ann.
func (b *bundle) complete(t testing.TB, id int64, fields object) completed {
	t.Helper()
	body := object{"task_id": id}
	for key, value := range fields {
		body[key] = value
	}
	return functiontest.Read[completed](t, b.Call(t, http.MethodPost, "/api/task-completions/", b.ann.Token, body), 201)
}

func (b *bundle) get(t testing.TB, id int64) task {
	t.Helper()
	return functiontest.Read[task](t, b.Call(t, http.MethodGet, path(id), b.ann.Token, nil), 200)
}

func path(id int64, more ...string) string {
	p := fmt.Sprintf("/api/tasks/%d/", id)
	for _, part := range more {
		p += part + "/"
	}
	return p
}

// conflict reads a 409 and the task in it.
func conflict[T any](t testing.TB, r functiontest.Response) T {
	t.Helper()
	functiontest.Refused(t, r, 409)
	return functiontest.Read[struct{ Current T }](t, r, 409).Current
}

// locations returns what a 422 names.
func locations(t testing.TB, r functiontest.Response) []string {
	t.Helper()
	functiontest.Refused(t, r, 422)
	var named []string
	for _, e := range functiontest.Read[problem.Problem](t, r, 422).Errors {
		named = append(named, e.Location)
	}
	return named
}

// snapshot is everything that a refused call must leave as it was.
func (b *bundle) snapshot(t testing.TB) string {
	t.Helper()
	return functiontest.Value[string](t, b.Server, `
		SELECT coalesce((SELECT json_agg(t ORDER BY t.id) FROM task_task t)::text, '') || coalesce((SELECT json_agg(c ORDER BY c.id) FROM task_taskcompletion c)::text, '')
		    || (SELECT count(*) FROM outbox_event) || (SELECT count(*) FROM shared_idempotency)`)
}
