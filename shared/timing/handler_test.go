package timing_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/timing"
)

const probe = "/healthz"

// whole is the header of an answer that tells its times, before which there was a first request.
var whole = regexp.MustCompile(`^db;dur=(\d+(?:\.\d)?), cache;dur=(\d+(?:\.\d)?), cold;dur=(\d+(?:\.\d)?)$`)

// serve answers with handler by way of timing.Handler and returns the server's address.
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(timing.Handler(handler, probe))
	t.Cleanup(server.Close)
	return server.URL
}

// call returns an answer, a redirect as well, whose body was read.
func call(ctx context.Context, t *testing.T, method, url string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	require.NoError(t, err)
	client := http.Client{
		Transport:     devtest.Client.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(r)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer
}

// told returns the milliseconds that the header of an answer tells, which must be there once.
func told(t *testing.T, answer *http.Response) (db, cache, cold float64) {
	t.Helper()
	values := answer.Header.Values("Server-Timing")
	require.Len(t, values, 1)
	found := whole.FindStringSubmatch(values[0])
	require.NotNil(t, found, values[0])
	var all [3]float64
	for i := range all {
		var err error
		all[i], err = strconv.ParseFloat(found[i+1], 64)
		require.NoError(t, err)
	}
	return all[0], all[1], all[2]
}

// waits makes the request of ctx wait for p as long as d.
func waits(ctx context.Context, p timing.Part, d time.Duration) {
	timing.Begin(ctx, p)
	defer timing.End(ctx, p)
	<-time.After(d)
}

func TestEveryWayToAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		method  string
		status  int
	}{
		"status":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }, "GET", 418},
		"body":         {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") }, "GET", 200},
		"neither":      {func(http.ResponseWriter, *http.Request) {}, "GET", 200},
		"no content":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, "POST", 204},
		"not modified": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }, "GET", 304},
		"head":         {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") }, "HEAD", 200},
		"not found":    {http.NotFound, "GET", 404},
		"redirect":     {http.RedirectHandler("/elsewhere", http.StatusFound).ServeHTTP, "DELETE", 302},
		"more than once": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, "x")
		}, "GET", 201},
		"flushed first": {func(w http.ResponseWriter, _ *http.Request) { _ = http.NewResponseController(w).Flush() }, "GET", 200},
		"read until a day": {func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		}, "GET", 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := call(t.Context(), t, c.method, serve(t, c.handler))
			require.Equal(t, c.status, answer.StatusCode)
			db, cache, cold := told(t, answer)
			require.Zero(t, db)
			require.Zero(t, cache)
			require.Positive(t, cold)
		})
	}
}

func TestAStreamBeginsWithTheHeader(t *testing.T) {
	t.Parallel()
	goOn := make(chan struct{})
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "a")
		_ = http.NewResponseController(w).Flush()
		waits(r.Context(), timing.Database, time.Millisecond)
		<-goOn
		_, _ = io.WriteString(w, "b")
	})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	answer, err := devtest.Client.Do(r)
	require.NoError(t, err)
	db, _, _ := told(t, answer)
	require.Zero(t, db, "what comes after the status cannot be in it")
	close(goOn)
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, "ab", string(body))
	require.NoError(t, answer.Body.Close())
}

func TestAnInformationalAnswerIsNotTheAnswer(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		waits(r.Context(), timing.Cache, 5*time.Millisecond)
		w.WriteHeader(http.StatusAccepted)
	})
	var early textproto.MIMEHeader
	answer := call(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(_ int, header textproto.MIMEHeader) error { early = header; return nil },
	}), t, http.MethodGet, url)
	require.NotNil(t, early)
	require.Empty(t, early.Get("Server-Timing"))
	require.Equal(t, http.StatusAccepted, answer.StatusCode)
	_, cache, _ := told(t, answer)
	require.GreaterOrEqual(t, cache, 5.0)
}

func TestWhatAHandlerSaysItselfStays(t *testing.T) {
	t.Parallel()
	answer := call(t.Context(), t, http.MethodGet, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Server-Timing", "hash;dur=20")
	}))
	values := answer.Header.Values("Server-Timing")
	require.Len(t, values, 2)
	require.Equal(t, "hash;dur=20", values[0])
	require.Regexp(t, whole, values[1])
}

func TestColdIsTheFirstRequests(t *testing.T) {
	t.Parallel()
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	const before = "db;dur=0, cache;dur=0"
	for range 2 {
		require.Equal(t, before, call(t.Context(), t, http.MethodGet, url+probe).Header.Get("Server-Timing"), "a probe is nobody's first request")
	}
	_, _, first := told(t, call(t.Context(), t, http.MethodGet, url))
	for _, path := range []string{"/", probe} {
		_, _, later := told(t, call(t.Context(), t, http.MethodGet, url+path))
		require.InDelta(t, first, later, 0)
	}
}
