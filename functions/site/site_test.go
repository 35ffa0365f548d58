package main

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/problem"
)

func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }

func routes(b *function.Base) func(huma.API) {
	return newService(b.DB, b.Cache, settings{PublicURL: "https://myhoneydue.com"}).routes
}

func setup(t *testing.T) *functiontest.Server {
	t.Helper()
	return functiontest.Start(t, "site", routes)
}

func TestHealth(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, path := range []string{"/api/health/", "/api/health"} {
		r := s.Call(t, "GET", path, "", nil)
		require.Equal(t, health{"ok", "ok", "ok"}, functiontest.Read[health](t, r, http.StatusOK))
		require.Equal(t, "no-store", r.Header.Get("Cache-Control"))
	}
	functiontest.Refused(t, s.Call(t, "POST", "/api/health/", "", nil), http.StatusMethodNotAllowed)
	functiontest.Refused(t, s.Call(t, "GET", "/api/health/typo/", "", nil), http.StatusNotFound)
	functiontest.Refused(t, s.Call(t, "GET", "/api/health/?verbose=1", "", nil), http.StatusUnprocessableEntity)
}

func TestHealthWithoutCache(t *testing.T) {
	t.Parallel()
	servers := devtest.NewServers(t)
	s := functiontest.StartOn(t, servers.New(t), "site", routes)
	ask := func() health {
		return functiontest.Read[health](t, s.Call(t, "GET", "/api/health/", "", nil), http.StatusOK)
	}
	require.Equal(t, "ok", ask().Cache)

	servers.Redis.Pause()
	begun := time.Now()
	require.Equal(t, health{"ok", "ok", "degraded"}, ask())
	require.Less(t, time.Since(begun), databaseDeadline)
	servers.Redis.Resume()
	require.Eventually(t, func() bool { return ask().Cache == "ok" }, 20*time.Second, 10*time.Millisecond)
}

func TestHealthWithoutDatabase(t *testing.T) {
	t.Parallel()
	servers := devtest.NewServers(t)
	s := functiontest.StartOn(t, servers.New(t), "site", routes)
	ask := func() functiontest.Response { return s.Call(t, "GET", "/api/health/", "", nil) }
	require.Equal(t, http.StatusOK, ask().Status)

	down := func() {
		begun := time.Now()
		r := ask()
		functiontest.Refused(t, r, http.StatusServiceUnavailable)
		require.NotEmpty(t, r.Header.Get("Retry-After"))
		require.Less(t, time.Since(begun), 2*databaseDeadline)
	}
	back := func() {
		require.Eventually(t, func() bool { return ask().Status == http.StatusOK }, 20*time.Second, 10*time.Millisecond)
	}

	servers.Postgres.Pause()
	down()
	// What is served from memory asks nobody.
	require.Equal(t, http.StatusOK, s.Call(t, "GET", "/api/openapi.json", "", nil).Status)
	servers.Postgres.Resume()
	back()

	require.NoError(t, servers.Postgres.Stop(t.Context()))
	down()
	require.NoError(t, servers.Postgres.Start(t.Context()))
	back()
}

func TestOpenAPIIsServed(t *testing.T) {
	t.Parallel()
	s := setup(t)
	r := s.Call(t, "GET", "/api/openapi.json", "", nil)
	require.Equal(t, http.StatusOK, r.Status)
	require.Equal(t, string(merged), string(r.Body))
	require.Equal(t, "application/json", r.Header.Get("Content-Type"))
	require.Equal(t, "public, max-age=300", r.Header.Get("Cache-Control"))
	etag := r.Header.Get("ETag")
	require.Regexp(t, `^"[\w-]{22}-gzip"$`, etag)

	for sent, status := range map[string]int{
		etag:                     http.StatusNotModified,
		"W/" + etag:              http.StatusNotModified,
		`"other", ` + etag:       http.StatusNotModified,
		"*":                      http.StatusNotModified,
		`"other"`:                http.StatusOK,
		strings.Trim(etag, `"`):  http.StatusOK,
		strings.Repeat("x", 2e3): http.StatusUnprocessableEntity,
	} {
		r := s.Call(t, "GET", "/api/openapi.json", "", nil, functiontest.Header{Name: "If-None-Match", Value: sent})
		require.Equal(t, status, r.Status, sent)
		switch status {
		case http.StatusNotModified:
			require.Empty(t, r.Body)
			require.Equal(t, etag, r.Header.Get("ETag"))
			require.Equal(t, "public, max-age=300", r.Header.Get("Cache-Control"))
		case http.StatusUnprocessableEntity:
			functiontest.Refused(t, r, status)
			require.NotContains(t, string(r.Body), "xxxx")
		}
	}
	functiontest.Refused(t, s.Call(t, "GET", "/api/openapi.json/", "", nil), http.StatusNotFound)
}

// readPage returns a page and checks what both pages promise.
func readPage(t *testing.T, s *functiontest.Server, path string) string {
	t.Helper()
	r := s.Call(t, "GET", path, "", nil)
	require.Equal(t, http.StatusOK, r.Status)
	require.Equal(t, "text/html; charset=utf-8", r.Header.Get("Content-Type"))
	require.Equal(t, policy, r.Header.Get("Content-Security-Policy"))
	without := s.Call(t, "GET", strings.TrimSuffix(path, "/"), "", nil)
	require.Equal(t, string(r.Body), string(without.Body))
	html := string(r.Body)

	// Its style loads under its own policy, and it needs nothing that the policy forbids.
	require.Contains(t, policy, "style-src 'self'")
	require.Equal(t, []string{"/api/docs/style.css"}, matches(html, `<link rel="stylesheet" href="([^"]+)"`))
	style := s.Call(t, "GET", "/api/docs/style.css", "", nil)
	require.Equal(t, http.StatusOK, style.Status)
	require.Equal(t, "text/css; charset=utf-8", style.Header.Get("Content-Type"))
	require.NotContains(t, string(style.Body), "url(")
	require.NotContains(t, string(style.Body), "@import")
	require.NotRegexp(t, `<style|<script|<img|<iframe|\ssrc=|\sstyle=|\son\w+=|ZgotmplZ`, html)
	for _, link := range matches(html, `href="([^"]+)"`) {
		require.Regexp(t, `^(#|/api/|data:)`, link)
	}
	// Each fragment leads somewhere, and nothing has two meanings.
	ids := matches(html, `\sid="([^"]+)"`)
	seen := map[string]bool{}
	for _, id := range ids {
		require.False(t, seen[id], "two places are called %s", id)
		seen[id] = true
	}
	for _, fragment := range matches(html, `href="#([^"]+)"`) {
		require.True(t, seen[fragment], "nothing is called %s", fragment)
	}
	return html
}

func matches(text, pattern string) []string {
	var found []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, match[1])
	}
	return found
}

func TestDocsShowEveryCall(t *testing.T) {
	t.Parallel()
	html := readPage(t, setup(t), "/api/docs/")
	var doc document
	require.NoError(t, json.Unmarshal(merged, &doc))
	calls := 0
	for path, methods := range doc.Paths {
		for method, op := range methods {
			require.Contains(t, html, `id="`+op.OperationID+`"`)
			require.Regexp(t, `>`+strings.ToUpper(method)+`</span> <code class="path">`+regexp.QuoteMeta(path)+`</code>`, html)
			calls++
		}
	}
	require.Len(t, matches(html, `(class="path")`), calls)
}

func TestProblemsShowEveryType(t *testing.T) {
	t.Parallel()
	html := readPage(t, setup(t), "/api/docs/problems/")
	for status := range 600 {
		p := problem.New(status, "")
		address, slug, _ := strings.Cut(p.Type, "#")
		require.Equal(t, "https://api.myhoneydue.com/api/docs/problems", address)
		require.Contains(t, html, `<article id="`+slug+`">`)
		require.Contains(t, html, p.Title)
		meaning, advice := explain(slug)
		require.NotEmpty(t, meaning, slug)
		require.NotEmpty(t, advice, slug)
	}
}

func TestRoleReadsNoTable(t *testing.T) {
	t.Parallel()
	s := setup(t)
	conn, err := pgx.Connect(t.Context(), s.DB.DirectURL("honeydue_site"))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(t.Context())) }()
	for _, table := range []string{"auth_user", "auth_session", "residence_residence", "task_task", "pending_uploads", "upload_media", "upload_document", "outbox_event", "notification_message", "shared_limit"} {
		_, err := conn.Exec(t.Context(), `SELECT FROM `+pgx.Identifier{table}.Sanitize())
		require.ErrorContains(t, err, "permission denied", table)
	}
}
