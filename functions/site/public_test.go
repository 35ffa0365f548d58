package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/api"
)

// A visitor asks the site, which needs neither database nor cache for its pages.
type visitor struct {
	t       *testing.T
	handler http.Handler
}

func visit(t *testing.T, said settings) visitor {
	t.Helper()
	return visitor{t, api.New("site", slog.New(slog.DiscardHandler), nil, newService(nil, nil, said).routes)}
}

// ask sends a request with headers, given as name and value in turn.
func (v visitor) ask(method, path string, headers ...string) *http.Response {
	v.t.Helper()
	r := httptest.NewRequestWithContext(v.t.Context(), method, path, nil)
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	w := httptest.NewRecorder()
	v.handler.ServeHTTP(w, r)
	answer := w.Result()
	require.Empty(v.t, answer.Header.Values("Set-Cookie"), path)
	require.Equal(v.t, "nosniff", answer.Header.Get("X-Content-Type-Options"), path)
	return answer
}

// body returns what an answer holds, unpacked, and the bytes that travelled.
func (v visitor) body(answer *http.Response) (plain string, travelled int) {
	v.t.Helper()
	sent := read(v.t, answer)
	return string(unpacked(v.t, answer.Header.Get("Content-Encoding"), sent)), len(sent)
}

// addresses are all that the site answers with 200, but for documents about apps.
func addresses(t *testing.T) []string {
	t.Helper()
	all := []string{"/favicon.ico", "/robots.txt", "/sitemap.xml", "/api/docs/", "/api/docs/problems/", "/api/docs/style.css", "/api/openapi.json"}
	for _, page := range pages() {
		all = append(all, page.Path)
	}
	known, err := newAssets()
	require.NoError(t, err)
	for name := range known.files {
		all = append(all, "/assets/"+name)
	}
	return all
}

func TestEveryAddress(t *testing.T) {
	t.Parallel()
	v := visit(t, production(t))
	for _, address := range addresses(t) {
		answer := v.ask("GET", address)
		require.Equal(t, http.StatusOK, answer.StatusCode, address)
		require.Empty(t, answer.Header.Get("Content-Encoding"), address)
		plain, size := v.body(answer)
		require.NotZero(t, size)
		require.Contains(t, answer.Header.Get("Content-Security-Policy"), "default-src 'none'", address)
		require.NotContains(t, answer.Header.Get("Content-Security-Policy"), "unsafe", address)
		require.Equal(t, "no-referrer", answer.Header.Get("Referrer-Policy"), address)
		kept := briefly
		if strings.HasPrefix(address, "/assets/") {
			kept = forever
		}
		require.Equal(t, kept, answer.Header.Get("Cache-Control"), address)

		head := v.ask("HEAD", address)
		require.Equal(t, http.StatusOK, head.StatusCode, address)
		require.Equal(t, answer.Header.Get("ETag"), head.Header.Get("ETag"), address)

		tags := []string{answer.Header.Get("ETag")}
		for _, coding := range []string{"br", "gzip"} {
			small := v.ask("GET", address, "Accept-Encoding", coding)
			if !compressible(answer.Header.Get("Content-Type")) || address == "/robots.txt" {
				require.Empty(t, small.Header.Get("Content-Encoding"), address)
				continue
			}
			require.Equal(t, coding, small.Header.Get("Content-Encoding"), address)
			require.Equal(t, "Accept-Encoding", answer.Header.Get("Vary"), address)
			require.Equal(t, "Accept-Encoding", small.Header.Get("Vary"), address)
			same, travelled := v.body(small)
			require.Equal(t, plain, same, address)
			require.Less(t, travelled, size, address)
			require.NotContains(t, tags, small.Header.Get("ETag"), "every form has a tag of its own")
			tags = append(tags, small.Header.Get("ETag"))

			known := v.ask("GET", address, "Accept-Encoding", coding, "If-None-Match", `"other", W/`+small.Header.Get("ETag"))
			require.Equal(t, http.StatusNotModified, known.StatusCode, address)
			require.Equal(t, small.Header.Get("ETag"), known.Header.Get("ETag"), address)
			require.Equal(t, "Accept-Encoding", known.Header.Get("Vary"), address)
			require.Empty(t, read(t, known), address)
		}
		known := v.ask("GET", address, "If-None-Match", tags[0])
		require.Equal(t, http.StatusNotModified, known.StatusCode, address)
		require.Equal(t, kept, known.Header.Get("Cache-Control"), address)
	}
}

func TestAssetsAreNamedByTheirContent(t *testing.T) {
	t.Parallel()
	v := visit(t, production(t))
	known, err := newAssets()
	require.NoError(t, err)
	for name, newest := range known.newest {
		plain, _ := v.body(v.ask("GET", "/assets/"+newest))
		require.Equal(t, newest, hashed(name, []byte(plain)))
		// One of an earlier release: a page that some cache holds shall look as it should.
		ending := path.Ext(name)
		former := v.ask("GET", "/assets/"+strings.TrimSuffix(name, ending)+".0123456789"+ending)
		require.Equal(t, http.StatusOK, former.StatusCode)
		require.Equal(t, "no-store", former.Header.Get("Cache-Control"))
	}
	for _, nothing := range []string{"/assets/", "/assets/other.0123456789.css", "/assets/site", "/assets/a/b.css", "/assets/..%2fmain.go"} {
		require.Equal(t, http.StatusNotFound, v.ask("GET", nothing).StatusCode, nothing)
	}
}

// loads are what a browser fetches for a page by itself, and links what it offers.
var (
	loads = regexp.MustCompile(`<(?:img|script|iframe|source|video|audio|embed|object|use|image)[^>]*\s(?:src|href|data)="([^"]*)"|<link rel="(?:stylesheet|icon|preload|apple-touch-icon)" href="([^"]*)"`)
	links = regexp.MustCompile(`<a [^>]*href="([^"]*)"`)
)

func TestPages(t *testing.T) {
	t.Parallel()
	v := visit(t, production(t))
	for _, page := range pages() {
		plain, travelled := v.body(v.ask("GET", page.Path, "Accept-Encoding", "br"))
		require.Contains(t, plain, `<html lang="en">`)
		require.Contains(t, plain, `<link rel="canonical" href="https://myhoneydue.com`+page.Path+`">`)
		require.Contains(t, plain, `<meta property="og:url" content="https://myhoneydue.com`+page.Path+`">`)
		require.NotRegexp(t, `<script|<style|\sstyle=|\son\w+=|<form|<iframe|ZgotmplZ|@import|(?i)lorem|javascript:`, plain, page.Path)
		require.Len(t, regexp.MustCompile(`<h1`).FindAllString(plain, -1), 1, page.Path)
		require.Len(t, regexp.MustCompile(`<main`).FindAllString(plain, -1), 1, page.Path)
		level := 0
		for _, heading := range matches(plain, `<h([1-6])`) {
			next, err := strconv.Atoi(heading)
			require.NoError(t, err)
			require.LessOrEqual(t, next, level+1, "%s leaves out a heading", page.Path)
			level = next
		}
		for _, img := range regexp.MustCompile(`<img[^>]*>`).FindAllString(plain, -1) {
			require.Contains(t, img, ` alt="`, page.Path)
		}
		for _, svg := range regexp.MustCompile(`<svg[^>]*>`).FindAllString(plain, -1) {
			require.Regexp(t, `role="img" aria-label="[^"]+"`, svg, page.Path)
		}

		// What it loads is the site's own, there, and with the page not more than 100 KB.
		fetched := map[string]bool{}
		for _, found := range loads.FindAllStringSubmatch(plain, -1) {
			fetched[found[1]+found[2]] = true
		}
		require.NotEmpty(t, fetched)
		for address := range fetched {
			require.Regexp(t, `^/assets/`, address, page.Path)
			answer := v.ask("GET", address, "Accept-Encoding", "br")
			require.Equal(t, http.StatusOK, answer.StatusCode, address)
			require.Equal(t, forever, answer.Header.Get("Cache-Control"), address)
			content, size := v.body(answer)
			travelled += size
			if strings.HasSuffix(address, ".css") {
				for _, inside := range matches(content, `url\("([^"]+)"\)`) {
					require.True(t, fetched["/assets/"+inside], inside)
				}
			}
		}
		require.LessOrEqual(t, travelled, 100_000, page.Path)
		card := matches(plain, `<meta property="og:image" content="https://myhoneydue.com(/[^"]+)"`)
		require.Len(t, card, 1, page.Path)
		require.Equal(t, "image/png", v.ask("GET", card[0]).Header.Get("Content-Type"))
		v.follow(page.Path, plain)
	}
}

// follow goes where a page's links lead.
func (v visitor) follow(from, plain string) {
	v.t.Helper()
	for _, found := range links.FindAllStringSubmatch(plain, -1) {
		if strings.HasPrefix(found[1], "mailto:") {
			continue
		}
		address, fragment, _ := strings.Cut(found[1], "#")
		target := plain
		if address != "" {
			require.Regexp(v.t, `^/`, address, from)
			answer := v.ask("GET", address)
			require.Equal(v.t, http.StatusOK, answer.StatusCode, "%s leads to %s", from, address)
			target, _ = v.body(answer)
		}
		if fragment != "" {
			require.Contains(v.t, target, ` id="`+fragment+`"`, from)
		}
	}
}

func TestNothingThere(t *testing.T) {
	t.Parallel()
	v := visit(t, production(t))
	for _, address := range []string{"/nowhere", "/nowhere/", "/privacy/nowhere/", "/wp-login.php", "/.well-known/", "/.env", "/index.html"} {
		answer := v.ask("GET", address, "Accept-Encoding", "br")
		require.Equal(t, http.StatusNotFound, answer.StatusCode, address)
		require.Equal(t, "text/html; charset=utf-8", answer.Header.Get("Content-Type"), address)
		require.Equal(t, "no-store", answer.Header.Get("Cache-Control"), address)
		require.Equal(t, publicPolicy, answer.Header.Get("Content-Security-Policy"), address)
		plain, _ := v.body(answer)
		require.Contains(t, plain, `<meta name="robots" content="noindex">`)
		require.NotContains(t, plain, "canonical")
		v.follow(address, plain)
	}
	answer := v.ask("GET", "/api/nowhere/")
	require.Equal(t, http.StatusNotFound, answer.StatusCode)
	require.Equal(t, "application/problem+json", answer.Header.Get("Content-Type"))
	require.Equal(t, http.StatusMethodNotAllowed, v.ask("POST", "/privacy/").StatusCode)
	require.Equal(t, http.StatusOK, v.ask("GET", "/privacy?utm_source=mail").StatusCode)
}

func TestFinders(t *testing.T) {
	t.Parallel()
	v := visit(t, production(t))
	sitemap, _ := v.body(v.ask("GET", "/sitemap.xml"))
	var expected []string
	for _, page := range pages() {
		expected = append(expected, "https://myhoneydue.com"+page.Path)
	}
	require.Equal(t, expected, matches(sitemap, `<loc>([^<]+)</loc>`))
	robots, _ := v.body(v.ask("GET", "/robots.txt"))
	require.Contains(t, robots, "Sitemap: https://myhoneydue.com/sitemap.xml\n")
}

func TestStores(t *testing.T) {
	t.Parallel()
	none, _ := visit(t, production(t)).body(visit(t, production(t)).ask("GET", "/"))
	require.NotContains(t, none, "Get it for")
	said := production(t)
	said.PlayStoreURL = "https://play.google.com/store/apps/details?id=com.myhoneydue.app"
	v := visit(t, said)
	answer := v.ask("GET", "/", "Accept-Encoding", "br, gzip")
	require.Equal(t, "gzip", answer.Header.Get("Content-Encoding"), "no overlay has these settings")
	one, _ := v.body(answer)
	require.Contains(t, one, `<a class="button" href="https://play.google.com/store/apps/details?id=com.myhoneydue.app">Get it for Android</a>`)
	require.NotContains(t, one, "iPhone</a>")
}
