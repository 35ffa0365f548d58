package tests

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/local"
	"github.com/honeydue/backend/tests/story"
)

// Who may make a call.
type audience int

const (
	anybody    audience = iota // without signing in
	oneself                    // about the caller's own account
	ownThing                   // about a thing that only the caller has; to others it is not there
	readers                    // of a home
	workers                    // members and owners
	owners                     // the owner alone
	homesInUse                 // makes or finds homes; a stranger's ids play no part
)

// A call is a row of the matrix: who may make it and, for one with a body, a body that is accepted.
type call struct {
	who  audience
	body func(f *fixture) map[string]any
}

// calls has a row for every operation of the OpenAPI document; a test fails when one is missing.
func calls() map[string]call {
	task := func(f *fixture) map[string]any {
		return map[string]any{
			"residence_id": f.home, "title": "Sweep", "description": "All of it", "category_id": 1, "priority_id": 2,
			"frequency_id": 3, "due_date": story.Day(9), "assigned_to_id": f.owner.ID, "estimated_cost": "10.00",
		}
	}
	residence := func(*fixture) map[string]any {
		return map[string]any{
			"name": "Hut", "residence_type": "cabin", "street_address": "1 Way", "apartment_unit": "2", "city": "Town",
			"state_province": "TX", "postal_code": "7", "country": "US", "bedrooms": 1, "bathrooms": 1.5, "square_footage": 900,
			"lot_size": 10.5, "year_built": 1990, "description": "Small", "purchase_date": "2020-01-01", "purchase_price": "1.00",
			"is_primary": false, "heating": "gas", "cooling": "none", "water_heater": "tank", "roof": "slate", "pool": false,
			"sprinkler": false, "septic": false, "fireplace": true, "garage": false, "basement": false, "attic": true,
			"exterior": "wood", "flooring": "oak", "landscaping": "none",
		}
	}
	withBody := func(body map[string]any) func(*fixture) map[string]any {
		return func(*fixture) map[string]any { return body }
	}
	rows := map[string]call{
		"GET /api/health/":                             {anybody, nil},
		"GET /api/openapi.json":                        {anybody, nil},
		"GET /api/docs/":                               {anybody, nil},
		"GET /api/docs/problems/":                      {anybody, nil},
		"GET /api/docs/style.css":                      {anybody, nil},
		"GET /api/lookups/":                            {anybody, nil},
		"POST /api/auth/register/":                     {anybody, withBody(map[string]any{"email": "someone@example.com", "password": story.Password, "first_name": "A", "last_name": "B", "time_zone": "UTC", "device_name": "phone"})},
		"POST /api/auth/login/":                        {anybody, withBody(map[string]any{"email": "someone@example.com", "password": story.Password, "device_name": "phone"})},
		"POST /api/auth/forgot-password/":              {anybody, withBody(map[string]any{"email": "someone@example.com"})},
		"POST /api/auth/reset-password/":               {anybody, withBody(map[string]any{"email": "someone@example.com", "code": "123456", "new_password": story.Password})},
		"POST /api/auth/logout/":                       {oneself, nil},
		"GET /api/auth/me/":                            {oneself, nil},
		"PATCH /api/auth/me/":                          {oneself, withBody(map[string]any{"first_name": "A", "last_name": "B", "time_zone": "UTC", "locale": "en", "currency": "EUR"})},
		"POST /api/auth/verify-email/":                 {oneself, withBody(map[string]any{"code": "123456"})},
		"POST /api/auth/resend-verification/":          {oneself, nil},
		"POST /api/auth/change-password/":              {oneself, withBody(map[string]any{"current_password": story.Password, "new_password": "other-" + story.Password})},
		"POST /api/auth/change-email/":                 {oneself, withBody(map[string]any{"new_email": "other@example.com", "password": story.Password})},
		"GET /api/auth/sessions/":                      {oneself, nil},
		"DELETE /api/auth/sessions/":                   {oneself, nil},
		"DELETE /api/auth/sessions/{id}/":              {ownThing, nil},
		"GET /api/residences/":                         {homesInUse, nil},
		"GET /api/residences/my/":                      {homesInUse, nil},
		"POST /api/residences/":                        {homesInUse, residence},
		"POST /api/residences/join/":                   {homesInUse, withBody(map[string]any{"code": "ABCDEFGH"})},
		"GET /api/residences/{id}/":                    {readers, nil},
		"PATCH /api/residences/{id}/":                  {workers, residence},
		"DELETE /api/residences/{id}/":                 {owners, nil},
		"POST /api/residences/{id}/share/":             {owners, withBody(map[string]any{"expires_in_hours": 24})},
		"DELETE /api/residences/{id}/share/":           {owners, nil},
		"GET /api/residences/{id}/users/":              {readers, nil},
		"POST /api/tasks/":                             {workers, task},
		"GET /api/tasks/":                              {homesInUse, nil},
		"GET /api/tasks/by-residence/{id}/":            {readers, nil},
		"GET /api/tasks/{id}/":                         {readers, nil},
		"DELETE /api/tasks/{id}/":                      {workers, nil},
		"GET /api/task-completions/":                   {homesInUse, nil},
		"DELETE /api/task-completions/{id}/":           {workers, nil},
		"PATCH /api/task-completions/{id}/":            {workers, withBody(map[string]any{"notes": "n", "actual_cost": "1.00", "rating": 3, "completed_on": story.Day(-21)})},
		"PATCH /api/residences/{id}/users/{user_id}/":  {owners, withBody(map[string]any{"role": "viewer"})},
		"DELETE /api/residences/{id}/users/{user_id}/": {owners, nil},
		"PATCH /api/tasks/{id}/": {workers, func(f *fixture) map[string]any {
			body := task(f)
			delete(body, "residence_id")
			return body
		}},
		"POST /api/task-completions/": {workers, func(f *fixture) map[string]any {
			return map[string]any{"task_id": f.task, "completed_on": story.Day(-21), "notes": "n", "actual_cost": "1.00", "rating": 3, "occurrence": story.Day(9)}
		}},
	}
	for _, verb := range []string{"mark-in-progress", "clear-in-progress", "cancel", "uncancel", "archive", "unarchive"} {
		rows["POST /api/tasks/{id}/"+verb+"/"] = call{workers, nil}
	}
	return rows
}

// A fixture is a home with a person in every relation to it.
type fixture struct {
	system                                  *local.System
	owner, member, viewer, former, stranger *story.Person
	home, task, completion, session         int64
}

func newFixture(t *testing.T, s *local.System) *fixture {
	t.Helper()
	ctx := within(t, time.Minute)
	f := &fixture{system: s}
	for name, p := range map[string]**story.Person{"Olive": &f.owner, "Max": &f.member, "Vera": &f.viewer, "Fred": &f.former, "Sam": &f.stranger} {
		var err error
		*p, err = story.Register(ctx, story.NewPhone(s.URL), name)
		require.NoError(t, err)
	}
	var err error
	f.home, err = story.Share(ctx, f.owner, f.member, f.viewer, f.former)
	require.NoError(t, err)
	f.must(ctx, t, f.owner, http.MethodPatch, fmt.Sprintf("/api/residences/%d/users/%d/", f.home, f.viewer.ID), map[string]any{"role": "viewer"})
	f.must(ctx, t, f.former, http.MethodDelete, fmt.Sprintf("/api/residences/%d/users/%d/", f.home, f.former.ID), nil)
	f.task = addTask(ctx, t, f.owner, f.home, "Sweep")
	f.completion = f.complete(ctx, t)
	f.task = addTask(ctx, t, f.owner, f.home, "Sweep again")
	var sessions struct{ Results []struct{ ID int64 } }
	require.NoError(t, f.owner.Read(ctx, "/api/auth/sessions/", &sessions))
	f.session = sessions.Results[0].ID
	return f
}

func (f *fixture) complete(ctx context.Context, t *testing.T) int64 {
	t.Helper()
	var made struct{ Completion struct{ ID int64 } }
	require.NoError(t, f.owner.Create(ctx, "/api/task-completions/", http.StatusCreated, map[string]any{"task_id": f.task}, &made))
	return made.Completion.ID
}

func (f *fixture) must(ctx context.Context, t *testing.T, p *story.Person, method, path string, body any) {
	t.Helper()
	answer, err := p.Call(ctx, method, path, body, "")
	require.NoError(t, err)
	require.Less(t, answer.Status, 300, string(answer.Body))
}

// path fills the ids of the fixture into a path of the document.
func (f *fixture) path(path string) string {
	id := f.home
	switch {
	case strings.HasPrefix(path, "/api/tasks/{"):
		id = f.task
	case strings.HasPrefix(path, "/api/task-completions/"):
		id = f.completion
	case strings.HasPrefix(path, "/api/auth/sessions/"):
		id = f.session
	}
	return strings.NewReplacer("{id}", fmt.Sprint(id), "{user_id}", fmt.Sprint(f.member.ID)).Replace(path)
}

// operations returns every operation of the served document with its row, in a fixed order.
func operations(t *testing.T, s *local.System) []operation {
	t.Helper()
	var document struct {
		Paths map[string]map[string]json.RawMessage
	}
	require.NoError(t, story.NewPhone(s.URL).Read(within(t, time.Minute), "/api/openapi.json", &document))
	rows := calls()
	var all []operation
	for path, methods := range document.Paths {
		for method := range methods {
			name := strings.ToUpper(method) + " " + path
			row, ok := rows[name]
			require.True(t, ok, "%s has no row in the matrix", name)
			all = append(all, operation{name, strings.ToUpper(method), path, row})
			delete(rows, name)
		}
	}
	for name := range rows {
		if !strings.Contains(name, "/api/docs/") && !strings.Contains(name, "openapi.json") {
			t.Errorf("%s is in the matrix and not in the document", name)
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.name, b.name) })
	require.Greater(t, len(all), 30)
	return all
}

type operation struct {
	name, method, path string
	call
}

// send makes the call as a phone with a token, from an address of its own so that no limit is met.
func (o operation) send(ctx context.Context, t *testing.T, f *fixture, token string, body any) story.Answer {
	t.Helper()
	return o.sendTo(ctx, t, f, f.path(o.path), token, body)
}

func (o operation) sendTo(ctx context.Context, t *testing.T, f *fixture, path, token string, body any) story.Answer {
	t.Helper()
	phone := story.NewPhone(f.system.URL)
	phone.Token = token
	answer, err := phone.Call(ctx, o.method, path, body, "")
	require.NoError(t, err, o.name)
	return answer
}

func (o operation) validBody(f *fixture) any {
	if o.body == nil {
		return nil
	}
	return o.body(f)
}

// refused checks that an answer is a problem document with one of the statuses and shows nothing of what was sent.
func refused(t *testing.T, what string, answer story.Answer, statuses ...int) {
	t.Helper()
	require.Contains(t, statuses, answer.Status, "%s: %s", what, answer.Body)
	require.Equal(t, "application/problem+json", answer.Header.Get("Content-Type"), what)
	var document struct {
		Type, Title string
		Status      int
	}
	require.NoError(t, json.Unmarshal(answer.Body, &document), what)
	require.Equal(t, answer.Status, document.Status, what)
	require.NotEmpty(t, document.Type, what)
	require.NotContains(t, string(answer.Body), marker, "%s: a submitted value is in the answer", what)
}

// TestRefusedAccess tries every operation as everyone who may not make it.
func TestRefusedAccess(t *testing.T) {
	t.Parallel()
	s := system(t)
	f := newFixture(t, s)
	ctx := within(t, 3*time.Minute)
	for _, o := range operations(t, s) {
		if o.who == anybody {
			continue
		}
		body := o.validBody(f)
		answer := o.send(ctx, t, f, "", body)
		refused(t, o.name+" by nobody", answer, http.StatusUnauthorized)
		require.Equal(t, "Token", answer.Header.Get("WWW-Authenticate"), o.name)
		refused(t, o.name+" with an unknown token", o.send(ctx, t, f, "hd_unknown", body), http.StatusUnauthorized)
		if o.who == oneself || o.who == homesInUse {
			continue
		}
		refused(t, o.name+" by a stranger", o.send(ctx, t, f, f.stranger.Token, body), http.StatusNotFound)
		refused(t, o.name+" by a former member", o.send(ctx, t, f, f.former.Token, body), http.StatusNotFound)
		if o.who == workers || o.who == owners {
			refused(t, o.name+" by a viewer", o.send(ctx, t, f, f.viewer.Token, body), http.StatusForbidden)
		}
		if o.who == owners && !strings.Contains(o.name, "DELETE /api/residences/{id}/users") {
			refused(t, o.name+" by a member", o.send(ctx, t, f, f.member.Token, body), http.StatusForbidden)
		}
	}
}
