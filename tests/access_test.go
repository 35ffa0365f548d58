package tests

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/story"
)

// TestRefusedAccess tries every operation as everyone who may not make it. Nothing changes, and nothing of the home is in what
// people outside of it get.
func TestRefusedAccess(t *testing.T) {
	t.Parallel()
	s := ownSystem(t)
	f := newFixture(t, s)
	db := owner(t, s)
	ctx := within(t, 5*time.Minute)
	f.leave(ctx, t)
	settle(ctx, t, s, db)
	before := value[string](t, db, fingerprint)
	tried := 0
	for _, o := range operations(t, s) {
		if o.who == anybody {
			continue
		}
		body := o.validBody(f)
		answer := o.send(ctx, t, f, "", body)
		refused(t, o.name+" by nobody", answer, http.StatusUnauthorized)
		require.Equal(t, "Token", answer.Header.Get("WWW-Authenticate"), o.name)
		refused(t, o.name+" with an unknown token", o.send(ctx, t, f, "hd_unknown", body), http.StatusUnauthorized)
		refused(t, o.name+" by one whose account is gone", o.send(ctx, t, f, f.gone.Token, body), http.StatusUnauthorized)
		for _, c := range f.callers() {
			switch status := o.who.refusal(c.role); {
			case status != 0:
				refused(t, o.name+" by "+c.who, o.send(ctx, t, f, c.Token, body), status)
				tried++
			case c.role == outsider && o.method == http.MethodGet:
				require.NotContains(t, string(o.send(ctx, t, f, c.Token, nil).Body), f.secret, "%s by %s", o.name, c.who)
				tried++
			}
		}
	}
	require.Equal(t, before, value[string](t, db, fingerprint), "something was written")
	t.Logf("%d calls by people who may not make them", tried)
}

// TestAllowedAccess makes the same calls as everyone who may, so that no refusal is one of a call that never works.
func TestAllowedAccess(t *testing.T) {
	t.Parallel()
	s := system(t)
	f := newFixture(t, s)
	ctx := within(t, 5*time.Minute)
	all := operations(t, s)
	// What is deleted goes last, and the home after what belongs to it.
	slices.SortStableFunc(all, func(a, b operation) int {
		deletes := func(o operation) int { return strings.Count(o.name, http.MethodDelete) }
		return cmp.Or(deletes(a)-deletes(b), int(a.who-b.who), strings.Compare(b.path, a.path))
	})
	for _, o := range all {
		for _, c := range f.callers() {
			if o.who < readers || o.who.refusal(c.role) != 0 {
				continue
			}
			answer := o.send(ctx, t, f, c.Token, o.validBody(f))
			require.Less(t, answer.Status, 400, "%s by %s: %s", o.name, c.who, answer.Body)
			if o.who == workers {
				f.furnish(ctx, t)
			}
			if o.name == "DELETE /api/media/{id}/" {
				f.keepPaper(ctx, t)
			}
		}
	}
}

// unknown is an id that nothing has.
const unknown = 987654321

// A wrongID is one that a call must not take, and how it says so.
type wrongID struct {
	what   string
	id     any
	status int
}

// wrongIDs has a row for every field of a body that refers to a thing, with values that only somebody else may send; a test fails
// when one is missing.
func (o operation) wrongIDs(f *fixture) map[string][]wrongID {
	gone, invalid := http.StatusNotFound, http.StatusUnprocessableEntity
	list := []wrongID{{"unknown", unknown, invalid}}
	tasks := []wrongID{{"a stranger's", f.foreign.task, gone}, {"unknown", unknown, gone}}
	if strings.HasPrefix(o.path, "/api/documents/") { // they mention a task of their home, where others are about one
		tasks = []wrongID{{"a stranger's", f.foreign.task, invalid}, {"of another home of the caller's", f.elsewhere.task, invalid}, {"unknown", unknown, invalid}}
	}
	return map[string][]wrongID{
		"residence_id": {{"a stranger's", f.foreign.home, gone}, {"unknown", unknown, gone}},
		"task_id":      tasks,
		"assigned_to_id": {
			{"a stranger's", f.stranger.ID, invalid}, {"a former member's", f.former.ID, invalid},
			{"of one without a home", f.homeless.ID, invalid}, {"unknown", unknown, invalid},
		},
		"contractor_id": {
			{"a stranger's", f.foreign.contractor, invalid}, {"of another home of the caller's", f.elsewhere.contractor, invalid}, {"unknown", unknown, invalid},
		},
		"category_id":   list,
		"priority_id":   list,
		"frequency_id":  list,
		"template_id":   list,
		"specialty_ids": {{"unknown", []any{unknown}, invalid}, {"one unknown", []any{9, unknown}, invalid}},
		"upload_ids": {
			{"a stranger's", []any{f.foreignUpload}, gone}, {"one a stranger's", []any{f.upload, f.foreignUpload}, gone},
			{"attached media", []any{f.media}, invalid}, {"unknown", []any{unknown}, gone},
		},
	}
}

// TestForeignIDs replaces every id in every body and query by one that the caller may not name, and adds each to every body that
// has no such field, as one would to move a task into a foreign home. Nothing changes.
func TestForeignIDs(t *testing.T) {
	t.Parallel()
	s := ownSystem(t)
	f := newFixture(t, s)
	db := owner(t, s)
	ctx := within(t, 5*time.Minute)
	settle(ctx, t, s, db)
	before := value[string](t, db, fingerprint)
	tried := 0
	for _, o := range operations(t, s) {
		tried += o.foreignBody(ctx, t, f) + o.foreignQuery(ctx, t, f) + o.foreignUser(ctx, t, f)
	}
	require.Equal(t, before, value[string](t, db, fingerprint), "something was written")
	require.Greater(t, tried, 100)
	t.Logf("%d foreign ids refused", tried)
}

func (o operation) foreignBody(ctx context.Context, t *testing.T, f *fixture) (tried int) {
	t.Helper()
	if o.body == nil {
		require.Empty(t, o.described.bodyIDs(), "%s has no body in the matrix", o.name)
		return 0
	}
	wrong, top := o.wrongIDs(f), map[string]bool{}
	for _, path := range o.described.bodyIDs() {
		name := path[len(path)-1]
		top[name] = top[name] || len(path) == 1
		require.Contains(t, wrong, name, "%s: %s has no row in the matrix of ids", o.name, strings.Join(path, "."))
		for _, w := range wrong[name] {
			body := o.body(f)
			require.True(t, replace(body, path, w.id), "%s: the matrix's body has no %s", o.name, strings.Join(path, "."))
			refused(t, fmt.Sprintf("%s: %s %s", o.name, strings.Join(path, "."), w.what), o.send(ctx, t, f, f.owner.Token, body), w.status)
			tried++
		}
	}
	for name, all := range wrong {
		if !top[name] {
			body := o.body(f)
			body[name] = all[0].id
			refused(t, fmt.Sprintf("%s: %s added", o.name, name), o.send(ctx, t, f, f.owner.Token, body), http.StatusUnprocessableEntity)
			tried++
		}
	}
	return tried
}

// replace puts id at a path of a body, into the first element of each array on the way, and returns whether the path was there.
func replace(body map[string]any, path []string, id any) bool {
	if len(path) == 1 {
		_, there := body[path[0]]
		body[path[0]] = id
		return there
	}
	inner := body[path[0]]
	path = path[1:]
	if path[0] == element {
		all, ok := inner.([]any)
		if !ok || len(all) == 0 {
			return false
		}
		inner, path = all[0], path[1:]
	}
	next, ok := inner.(map[string]any)
	return ok && replace(next, path, id)
}

// foreignQuery asks for what hangs on a foreign id: it is not there, or the list is empty.
func (o operation) foreignQuery(ctx context.Context, t *testing.T, f *fixture) (tried int) {
	t.Helper()
	wrong := o.wrongIDs(f)
	wrong["specialty_id"] = []wrongID{{"unknown", unknown, 0}}
	for _, name := range o.described.queryIDs() {
		require.Contains(t, wrong, name, "%s: %s has no row in the matrix of ids", o.name, name)
		for _, w := range wrong[name] {
			answer := o.sendTo(ctx, t, f, fmt.Sprintf("%s?%s=%v", o.path, name, w.id), f.owner.Token, nil)
			tried++
			if answer.Status == http.StatusNotFound {
				continue
			}
			var page map[string]json.RawMessage
			require.NoError(t, answer.Decode(http.StatusOK, &page), "%s: %s %s", o.name, name, w.what)
			require.Contains(t, page, "results", "%s: %s %s", o.name, name, w.what)
			require.JSONEq(t, `[]`, string(page["results"]), "%s: %s %s", o.name, name, w.what)
		}
	}
	return tried
}

// foreignUser does to people who do not belong to the home what the owner may do to those who do.
func (o operation) foreignUser(ctx context.Context, t *testing.T, f *fixture) (tried int) {
	t.Helper()
	if !strings.Contains(o.path, "{user_id}") {
		return 0
	}
	for _, p := range []*story.Person{f.stranger, f.former, f.homeless, {ID: unknown}} {
		path := strings.Replace(o.path, "{user_id}", fmt.Sprint(p.ID), 1)
		refused(t, o.name+" to somebody else", o.sendTo(ctx, t, f, f.path(path), f.owner.Token, o.validBody(f)), http.StatusNotFound)
		tried++
	}
	return tried
}
