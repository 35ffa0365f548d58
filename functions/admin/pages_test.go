package main

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/pg"
)

func TestAssets(t *testing.T) {
	t.Parallel()
	b := setup(t)
	page := b.browse(t, "/sign-in/", "", nil)
	require.Equal(t, 200, page.Status)
	paths := regexp.MustCompile(`(?:href|src)="(/assets/[^"]+)"`).FindAllStringSubmatch(page.Body, -1)
	require.Len(t, paths, 3)
	for _, path := range paths {
		plain := b.browse(t, path[1], "", nil, functiontest.Header{Name: "Accept-Encoding", Value: "identity"})
		require.Equal(t, 200, plain.Status, path[1])
		require.Equal(t, "public, max-age=31536000, immutable", plain.Header.Get("Cache-Control"))
		require.Equal(t, "nosniff", plain.Header.Get("X-Content-Type-Options"))
		require.Empty(t, plain.Header.Get("Content-Encoding"))
		zipped := b.browse(t, path[1], "", nil) // Go's client unpacks what it asked for itself
		require.Equal(t, plain.Body, zipped.Body)
		packed := b.browse(t, path[1], "", nil, functiontest.Header{Name: "Accept-Encoding", Value: "gzip"})
		require.Equal(t, "gzip", packed.Header.Get("Content-Encoding"))
		require.Less(t, len(packed.Body), len(plain.Body))
	}
	require.Equal(t, 404, b.browse(t, "/assets/panel.css", "", nil).Status)
}

// A page has nothing in it that a browser would run or load from elsewhere, and sets no cookie by itself.
func TestPagesAreStrict(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.operator(t, adminRole)
	inline := regexp.MustCompile(`(?i)<script>|<script [^>]*[^d]>[^<]|<style|\sstyle=|\son[a-z]+=|javascript:|(?:href|src|action)="(?:https?:)?//`)
	for _, path := range []string{"/", "/people/", "/sign-in/", "/nowhere/", "/people/4711/"} {
		page := b.browse(t, path, me.Cookie, nil)
		require.NotRegexp(t, inline, page.Body, path)
		require.Equal(t, policy, page.Header.Get("Content-Security-Policy"), path)
		require.Equal(t, "no-referrer", page.Header.Get("Referrer-Policy"), path)
		require.Equal(t, "no-store", page.Header.Get("Cache-Control"), path)
		require.Empty(t, page.Header.Get("Set-Cookie"), path)
	}
	require.Equal(t, 404, b.browse(t, "/people/4711/", me.Cookie, nil).Status)
	missing := b.browse(t, "/nowhere/", "", nil)
	require.Equal(t, 404, missing.Status)
	require.NotContains(t, missing.Body, "<nav", "who is not signed in sees no menu")
	functiontest.Refused(t, b.Call(t, "GET", "/api/admin/nothing/", me.Token, nil), 404)
	functiontest.Refused(t, b.Call(t, "GET", "/api/admin/", "", nil), 404)
}

func TestWithoutPostgres(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.operator(t, adminRole)
	down, err := pg.Open(t.Context(), pg.Config{URL: "postgres://honeydue_admin@127.0.0.1:1/honeydue", PoolSize: 4})
	require.NoError(t, err)
	t.Cleanup(down.Close)
	b.service.DB = down
	for _, path := range []string{"/", "/people/", "/people.csv", "/people/7/disable/"} {
		page := b.browse(t, path, me.Cookie, nil)
		require.Equal(t, 503, page.Status, path)
		require.NotEmpty(t, page.Header.Get("Retry-After"), path)
		require.Contains(t, page.Header.Get("Content-Type"), "text/html", path)
	}
	require.Equal(t, 503, b.browse(t, "/sign-in/", "", signInForm("123456")).Status)
	functiontest.Refused(t, b.Call(t, "GET", "/api/admin/people/", me.Token, nil), 503)
	require.Equal(t, 200, b.browse(t, "/sign-in/", "", nil).Status, "the form asks nobody")
}

func TestHTMXIsSentToSignIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.browse(t, "/people/?q=ann", "", nil, functiontest.Header{Name: "HX-Request", Value: "true"})
	require.Equal(t, 401, r.Status)
	require.Equal(t, "/sign-in/?next=%2Fpeople%2F%3Fq%3Dann", r.Header.Get("Hx-Redirect"))
}
