package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const routes = "" +
	"apiVersion: traefik.io/v1alpha1\n" +
	"kind: IngressRoute\n" +
	"metadata: {name: site, labels: {app.kubernetes.io/name: site}}\n" +
	"spec:\n" +
	"  routes:\n" +
	"    - match: Host(`api.example.com`) && (Path(`/api/health`) || PathPrefix(`/api/health/`))\n" +
	"    - match: Host(`api.example.com`) && !PathPrefix(`/api/x/`) && PathPrefix(`/api/docs/`)\n" +
	"    - match: Host(`example.com`)\n"

func TestEntries(t *testing.T) {
	t.Parallel()
	entries, err := entriesOf(documents(t, routes), "site")
	require.NoError(t, err)
	require.Equal(t, []entry{{"api.example.com", "/api/health/"}, {"api.example.com", "/api/docs/"}, {"example.com", "/"}}, entries)
	entries, err = entriesOf(documents(t, routes), "tasks")
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestAnswerOfFunction(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path   string
		status int
		kind   string
		want   bool
	}{
		{"/api/tasks/", 401, "application/problem+json", true},
		{"/api/tasks/", 404, "application/problem+json; charset=utf-8", true},
		{"/api/tasks/", 404, "text/plain; charset=utf-8", false}, // the ingress knows no route
		{"/api/tasks/", 503, "application/problem+json", false},
		{"/api/tasks/", 200, "application/json", true},
		{"/api/tasks/", 301, "text/html", false},
		{"/api/tasks/", 200, "text/html; charset=utf-8", false}, // a page of the edge
		{"/api/tasks/", 200, "", false},
		{"/api/docs/", 200, "text/html; charset=utf-8", true},
		{"/api/docs/", 404, "text/plain; charset=utf-8", false},
		{"/", 200, "text/html; charset=utf-8", true},
		{"/", 503, "text/html; charset=utf-8", false},
		{"/api/health/", 200, "application/json", true},
		{"/api/health/", 200, "text/html", false},
		{"/api/health/", 404, "application/problem+json", false},
		{"/api/health/", 503, "application/problem+json", false},
	} {
		answer := &http.Response{StatusCode: c.status, Header: http.Header{"Content-Type": {c.kind}}}
		require.Equal(t, c.want, isFunction(c.path, answer), c)
	}
	for to, want := range map[string]bool{"/sign-in/": true, "https://www.example.com/": false, "": false} {
		answer := &http.Response{StatusCode: http.StatusSeeOther, Header: http.Header{"Location": {to}}}
		require.Equal(t, want, isFunction("/", answer), to)
	}
}

func TestSmokeAsksUntilTheFunctionAnswers(t *testing.T) {
	t.Parallel()
	asked := 0
	ingress := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.Host != "api.example.com" || r.URL.Path != "/api/health/" || asked < 2 {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
	}))
	t.Cleanup(ingress.Close)
	r := &rollout{ingress: ingress.URL, out: t.Output()}
	require.NoError(t, r.ask(t.Context(), entry{"api.example.com", "/api/health/"}))

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err := r.ask(ctx, entry{"api.example.com", "/api/docs/"})
	require.ErrorContains(t, err, "/api/docs/ for host api.example.com answers 404 text/plain")
}
