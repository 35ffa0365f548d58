package tests

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
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
	anybody  audience = iota // without signing in
	signedIn                 // whoever has an account: about what is their own, or the same for everybody
	ownThing                 // about a thing that only the caller has; to others it is not there
	readers                  // of a home
	workers                  // members and owners
	owners                   // the owner alone
)

// A call is a row of the matrix: who may make it and, for one with a body, a body that is accepted and has every id in it that
// the call takes.
type call struct {
	who  audience
	body func(f *fixture) map[string]any
}

// calls has a row for every operation of the OpenAPI document; a test fails when one is missing.
func calls() map[string]call {
	withBody := func(body map[string]any) func(*fixture) map[string]any {
		return func(*fixture) map[string]any { return maps.Clone(body) }
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
		"POST /api/auth/logout/":                       {signedIn, nil},
		"GET /api/auth/me/":                            {signedIn, nil},
		"PATCH /api/auth/me/":                          {signedIn, withBody(map[string]any{"first_name": "A", "last_name": "B", "time_zone": "UTC", "locale": "en", "currency": "EUR"})},
		"POST /api/auth/verify-email/":                 {signedIn, withBody(map[string]any{"code": "123456"})},
		"POST /api/auth/resend-verification/":          {signedIn, nil},
		"POST /api/auth/change-password/":              {signedIn, withBody(map[string]any{"current_password": story.Password, "new_password": "other-" + story.Password})},
		"POST /api/auth/change-email/":                 {signedIn, withBody(map[string]any{"new_email": "other@example.com", "password": story.Password})},
		"GET /api/auth/sessions/":                      {signedIn, nil},
		"DELETE /api/auth/sessions/":                   {signedIn, nil},
		"DELETE /api/auth/sessions/{id}/":              {ownThing, nil},
		"GET /api/auth/export/":                        {signedIn, nil},
		"DELETE /api/auth/account/":                    {signedIn, withBody(map[string]any{"password": story.Password})},
		"GET /api/notifications/":                      {signedIn, nil},
		"POST /api/notifications/{id}/read/":           {ownThing, nil},
		"POST /api/notifications/read-all/":            {signedIn, nil},
		"GET /api/notifications/devices/":              {signedIn, nil},
		"POST /api/notifications/devices/":             {signedIn, withBody(map[string]any{"platform": "android", "token": "phone", "name": "phone", "app_version": "1"})},
		"DELETE /api/notifications/devices/{id}/":      {ownThing, nil},
		"GET /api/notifications/preferences/":          {signedIn, nil},
		"PATCH /api/notifications/preferences/":        {signedIn, preferencesBody},
		"POST /api/notifications/unsubscribe/":         {anybody, nil},
		"GET /api/residences/":                         {signedIn, nil},
		"GET /api/residences/my/":                      {signedIn, nil},
		"POST /api/residences/":                        {signedIn, residenceBody},
		"POST /api/residences/join/":                   {signedIn, withBody(map[string]any{"code": "ABCDEFGH"})},
		"GET /api/residences/{id}/":                    {readers, nil},
		"PATCH /api/residences/{id}/":                  {workers, residenceBody},
		"DELETE /api/residences/{id}/":                 {owners, nil},
		"POST /api/residences/{id}/share/":             {owners, withBody(map[string]any{"expires_in_hours": 24})},
		"DELETE /api/residences/{id}/share/":           {owners, nil},
		"GET /api/residences/{id}/users/":              {readers, nil},
		"PATCH /api/residences/{id}/users/{user_id}/":  {owners, withBody(map[string]any{"role": "viewer"})},
		"DELETE /api/residences/{id}/users/{user_id}/": {owners, nil},
		"GET /api/contractors/":                        {signedIn, nil},
		"POST /api/contractors/":                       {workers, contractorBody},
		"GET /api/contractors/{id}/":                   {readers, nil},
		"PATCH /api/contractors/{id}/":                 {workers, without("residence_id", contractorBody)},
		"DELETE /api/contractors/{id}/":                {workers, nil},
		"POST /api/tasks/":                             {workers, taskBody},
		"POST /api/tasks/bulk/":                        {workers, bulkBody},
		"GET /api/tasks/":                              {signedIn, nil},
		"GET /api/tasks/search/":                       {signedIn, nil},
		"GET /api/tasks/by-residence/{id}/":            {readers, nil},
		"GET /api/tasks/templates/":                    {signedIn, nil},
		"GET /api/tasks/templates/{id}/":               {signedIn, nil},
		"GET /api/tasks/suggestions/":                  {readers, nil},
		"GET /api/tasks/{id}/":                         {readers, nil},
		"GET /api/tasks/{id}/occurrences/":             {readers, nil},
		"PATCH /api/tasks/{id}/":                       {workers, without("residence_id", taskBody)},
		"DELETE /api/tasks/{id}/":                      {workers, nil},
		"POST /api/tasks/{id}/skip/":                   {workers, withBody(map[string]any{"occurrence": story.Day(9), "notes": "n"})},
		"POST /api/uploads/presign/":                   {signedIn, withBody(map[string]any{"category": "document_file", "content_type": paperType, "content_length": 999, "filename": "a.pdf"})},
		"GET /api/uploads/{id}/":                       {ownThing, nil},
		"DELETE /api/uploads/{id}/":                    {ownThing, nil},
		"GET /api/media/{id}/":                         {readers, nil},
		"DELETE /api/media/{id}/":                      {workers, nil},
		"GET /api/documents/":                          {signedIn, nil},
		"POST /api/documents/":                         {workers, documentBody},
		"GET /api/documents/{id}/":                     {readers, nil},
		"PATCH /api/documents/{id}/":                   {workers, without("residence_id", documentBody)},
		"DELETE /api/documents/{id}/":                  {workers, nil},
		"GET /api/task-completions/":                   {signedIn, nil},
		"DELETE /api/task-completions/{id}/":           {workers, nil},
		"PATCH /api/task-completions/{id}/":            {workers, withBody(map[string]any{"notes": "n", "actual_cost": "1.00", "rating": 3, "completed_on": story.Day(-1), "upload_ids": []any{}})},
		"POST /api/task-completions/": {workers, func(f *fixture) map[string]any {
			return map[string]any{"task_id": f.task, "completed_on": story.Day(-1), "notes": "n", "actual_cost": "1.00", "rating": 3, "occurrence": story.Day(9), "upload_ids": []any{}}
		}},
	}
	for _, verb := range []string{"mark-in-progress", "clear-in-progress", "cancel", "uncancel", "archive", "unarchive"} {
		rows["POST /api/tasks/{id}/"+verb+"/"] = call{workers, nil}
	}
	return rows
}

// An operation of the served document, with its row.
type operation struct {
	name, method, path string
	described          described
	call
}

// operations returns every operation of the served document in a fixed order.
func operations(t *testing.T, s *local.System) []operation {
	t.Helper()
	var document document
	require.NoError(t, story.NewPhone(s.URL).Read(within(t, time.Minute), "/api/openapi.json", &document))
	rows := calls()
	var all []operation
	for path, methods := range document.Paths {
		for method, described := range methods {
			name := strings.ToUpper(method) + " " + path
			row, ok := rows[name]
			if !ok {
				t.Errorf("%s has no row in the matrix", name)
				continue
			}
			described.schemas = document.Components.Schemas
			all = append(all, operation{name, strings.ToUpper(method), path, described, row})
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

// times is the Server-Timing of every answer. A call that somebody could probe withholds how long its parts took.
var times = regexp.MustCompile(`^db(;dur=[\d.]+, cache;dur=[\d.]+|, cache), cold;dur=[\d.]+$`)

// send makes the call as a phone with a token, from an address of its own so that no limit is met. Whatever the answer is, it
// tells its times.
func (o operation) send(ctx context.Context, t *testing.T, f *fixture, token string, body any) story.Answer {
	t.Helper()
	answer := o.sendTo(ctx, t, f, f.path(o.path), token, body)
	require.Regexp(t, times, answer.Header.Get("Server-Timing"), "%s: %d", o.name, answer.Status)
	return answer
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

// refusal is what a call of that audience answers a role, or 0 where it is let in.
func (a audience) refusal(r role) int {
	switch {
	case a == anybody || a == signedIn || r == owning:
		return 0
	case a == ownThing || r == outsider:
		return http.StatusNotFound
	case a == readers || a == workers && r == member:
		return 0
	default:
		return http.StatusForbidden
	}
}
