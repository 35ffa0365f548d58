package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
)

// open are the only routes that take somebody who is not signed in.
var open = []string{
	"GET /sign-in/", "POST /sign-in/", "GET /enrol/", "POST /enrol/", "GET /assets/{name}", "GET /*", "POST /api/admin/login/",
}

// routesOf lists what the function serves, as its router has it.
func routesOf(t *testing.T, s *service) []string {
	t.Helper()
	router := chi.NewRouter()
	s.routes(humachi.New(router, huma.DefaultConfig("admin", "1")))
	var routes []string
	require.NoError(t, chi.Walk(router, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if !strings.HasPrefix(route, "/openapi") && !strings.HasPrefix(route, "/docs") && !strings.HasPrefix(route, "/schemas") {
			routes = append(routes, method+" "+route)
		}
		return nil
	}))
	return routes
}

// subjects are ids by collection, each of something that is there.
func (b *bundle) subjects(t *testing.T, as account) map[string]string {
	t.Helper()
	ann := b.Person(t, "ann")
	home := b.Home(t, ann)
	id := func(sql string, args ...any) string { return functiontest.Value[string](t, b.Server, sql, args...) }
	event := id(`INSERT INTO outbox_event (id, type, source, subject, time, data) VALUES (gen_random_uuid(), 'com.myhoneydue.user.password_changed.v1', '/functions/auth', 'users/1', now(), '{"user_id":1}') RETURNING id::text`)
	b.Exec(t, `INSERT INTO outbox_delivery (event_id, consumer, state, attempts, next_at, reason) VALUES ($1::uuid, 'notifications', 'dead', 12, now(), 'attempts are used up')`, event)
	return map[string]string{
		people: id(`SELECT id::text FROM auth_user WHERE id = $1`, ann.ID),
		homes:  id(`SELECT id::text FROM residence_residence WHERE id = $1`, home),
		tasks:  id(`INSERT INTO task_task (residence_id, title) VALUES ($1, 'Clean the gutters') RETURNING id::text`, home),
		uploads: id(`INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, expires_at)
			VALUES ($1, 'document_file', 'application/pdf', 9, 0, 'uploads/x', now()) RETURNING id::text`, ann.ID),
		deliveries: id(`INSERT INTO notification_message (event_id, user_id, channel, type, refs, state, expires_at, last_error)
			VALUES ($1::uuid, $2, 'email', 'security', '{}', 'dead', now(), '550 no such mailbox') RETURNING id::text`, event, ann.ID),
		eventRows: event + "-notifications",
		schedules: "outbox",
		operators: id(`SELECT id::text FROM admin_account WHERE id = $1`, as.ID),
	}
}

// TestWhoMayDoWhat goes through every route that the router has: a route that nobody thought of is refused to everybody, or fails here.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	admin, support, gone, late := b.operator(t, adminRole), b.operator(t, supportRole), b.operator(t, adminRole), b.operator(t, adminRole)
	other := b.operator(t, supportRole)
	ids := b.subjects(t, other)
	b.browse(t, "/sign-out/", gone.Cookie, url.Values{"csrf": {csrfOf(gone.Cookie)}})
	require.Equal(t, 204, b.Call(t, "POST", "/api/admin/logout/", gone.Token, nil).Status)
	b.Exec(t, `UPDATE admin_session SET expires_at = now() WHERE account_id = $1`, late.ID)
	stranger := b.Person(t, "stranger")

	routes := routesOf(t, b.service)
	require.Greater(t, len(routes), 40)
	acts := 0
	for _, route := range routes {
		method, pattern, _ := strings.Cut(route, " ")
		collection := strings.Split(strings.TrimPrefix(strings.TrimPrefix(pattern, "/api/admin"), "/"), "/")[0]
		path := pattern
		if strings.Contains(pattern, "{id}") {
			require.NotEmpty(t, ids[collection], "%s: which %s?", route, collection)
			path = strings.Replace(pattern, "{id}", ids[collection], 1)
		}
		if isOpen(route) {
			continue
		}
		isAct := strings.Count(pattern, "/") > strings.Count("/x/{id}/", "/") && strings.Contains(pattern, "{id}") && !strings.HasSuffix(pattern, "{id}/")
		before := b.written(t)
		if strings.HasPrefix(pattern, "/api/") {
			for name, token := range map[string]string{"nobody": "", "a person of the app": stranger.Token, "who signed out": gone.Token, "who came late": late.Token, "a cookie": admin.Cookie} {
				r := b.Call(t, method, path, token, nil)
				functiontest.Refused(t, r, 401)
				require.Equal(t, before, b.written(t), "%s by %s", route, name)
			}
			if isAct {
				acts++
				functiontest.Refused(t, b.Call(t, method, path, support.Token, b.bodyOf(ids)(pattern)), 403)
				require.Equal(t, before, b.written(t), route)
			}
			continue
		}
		for name, cookie := range map[string]string{"nobody": "", "a person of the app": stranger.Token, "who signed out": gone.Cookie, "who came late": late.Cookie, "a token": admin.Token} {
			var form url.Values
			if method == http.MethodPost {
				form = url.Values{"csrf": {csrfOf(cookie)}}
			}
			r := b.browse(t, path, cookie, form)
			require.Equal(t, 303, r.Status, "%s by %s", route, name)
			require.Contains(t, r.Header.Get("Location"), "/sign-in/", "%s by %s", route, name)
			require.Empty(t, r.Body, "%s by %s", route, name)
			require.Equal(t, before, b.written(t), "%s by %s", route, name)
		}
		if isAct {
			acts++
			r := b.browse(t, path, support.Cookie, nil)
			if method == http.MethodPost {
				r = b.act(t, path, support, "role", "viewer", "home", ids[homes])
			}
			require.Equal(t, 403, r.Status, route)
			require.Equal(t, before, b.written(t), route)
		}
		if method == http.MethodPost { // a form of another session, of none, and of another site
			for _, csrf := range []string{"", csrfOf(support.Cookie)} {
				require.Equal(t, 403, b.browse(t, path, admin.Cookie, url.Values{"csrf": {csrf}}).Status, route)
			}
			form := url.Values{"csrf": {csrfOf(admin.Cookie)}}
			require.Equal(t, 403, b.browse(t, path, admin.Cookie, form, functiontest.Header{Name: "Sec-Fetch-Site", Value: "cross-site"}).Status, route)
			require.Equal(t, 403, b.browse(t, path, admin.Cookie, form, functiontest.Header{Name: "Origin", Value: "https://evil.example"}).Status, route)
			require.Equal(t, before, b.written(t), route)
			continue
		}
		for _, reader := range []account{admin, support} {
			if !isAct || reader == admin {
				require.Equal(t, 200, b.browse(t, path, reader.Cookie, nil).Status, "%s by %s", route, reader.Email)
			}
		}
	}
	require.Greater(t, acts, 20)
}

func isOpen(route string) bool {
	for _, o := range open {
		if o == route {
			return true
		}
	}
	return false
}

// bodyOf is what an act takes at most.
func (b *bundle) bodyOf(ids map[string]string) func(pattern string) any {
	return func(pattern string) any {
		switch {
		case strings.HasSuffix(pattern, "/people/{id}/change-role/"):
			return object{"role": "viewer", "home": ids[homes]}
		case strings.HasSuffix(pattern, "/change-role/"):
			return object{"role": "support"}
		default:
			return nil
		}
	}
}

// written counts all that calls of operators could have written.
func (b *bundle) written(t *testing.T) string {
	t.Helper()
	return functiontest.Value[string](t, b.Server, `SELECT concat_ws(' ',
		(SELECT count(*) FROM admin_audit), (SELECT count(*) FROM admin_session), (SELECT max(xmin::text::bigint) FROM admin_account),
		(SELECT max(xmin::text::bigint) FROM auth_user), (SELECT count(*) FROM auth_session), (SELECT count(*) FROM auth_code),
		(SELECT max(xmin::text::bigint) FROM outbox_delivery), (SELECT max(xmin::text::bigint) FROM notification_message),
		(SELECT max(xmin::text::bigint) FROM residence_member))`)
}
