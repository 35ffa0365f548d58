package main

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
)

func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }

// A bundle is a home with one person of each role, and a stranger.
type bundle struct {
	*functiontest.Server
	owner, member, viewer, stranger functiontest.Person
	home                            int64
}

// now is an instant at which the dates around the world are three.
var now = time.Date(2026, time.March, 10, 11, 0, 0, 0, time.UTC)

func setup(t *testing.T) *bundle {
	t.Helper()
	return people(t, functiontest.Start(t, "residences", handlers))
}

// handlers are the function's, on a clock that stands still.
func handlers(base *function.Base) func(huma.API) {
	base.Now = func() time.Time { return now }
	return newService(base, nil).routes
}

func people(t *testing.T, s *functiontest.Server) *bundle {
	t.Helper()
	b := &bundle{Server: s, owner: s.Person(t, "ann"), member: s.Person(t, "mia"), viewer: s.Person(t, "vic"), stranger: s.Person(t, "eve")}
	b.home = s.Home(t, b.owner)
	s.Join(t, b.home, b.member, home.Member)
	s.Join(t, b.home, b.viewer, home.Viewer)
	return b
}

const all = "/api/residences/"

// path is that of the home or of something below it.
func (b *bundle) path(below ...any) string {
	path := fmt.Sprintf("%s%d/", all, b.home)
	for _, part := range below {
		path += fmt.Sprint(part) + "/"
	}
	return path
}

// state is everything of homes that a refused call could have changed.
func (b *bundle) state(t *testing.T) string {
	t.Helper()
	return functiontest.Value[string](t, b.Server, `
		SELECT concat((SELECT json_agg(r ORDER BY id) FROM residence_residence r), (SELECT json_agg(m ORDER BY m) FROM residence_member m),
			(SELECT json_agg(c) FROM residence_share_code c), (SELECT json_agg(t ORDER BY id) FROM task_task t), (SELECT count(*) FROM outbox_event),
			(SELECT json_agg(c ORDER BY id) FROM residence_contractor c), (SELECT json_agg(s ORDER BY s) FROM residence_contractor_specialty s),
			(SELECT json_agg(h ORDER BY id) FROM task_taskcompletion h), (SELECT count(*) FROM shared_idempotency))`)
}

// share makes a code of the home.
func (b *bundle) share(t *testing.T) string {
	t.Helper()
	return functiontest.Read[ShareCode](t, b.Call(t, "POST", b.path("share"), b.owner.Token, `{}`), 201).Code
}

// roles returns who belongs to the home, as "<id> <role>", by id.
func (b *bundle) roles(t *testing.T) []string {
	t.Helper()
	return functiontest.Value[[]string](t, b.Server, `
		SELECT coalesce(array_agg(user_id || ' ' || role ORDER BY user_id), '{}') FROM residence_member WHERE residence_id = $1`, b.home)
}

func is(p functiontest.Person, role home.Role) string { return fmt.Sprint(p.ID, " ", role) }
