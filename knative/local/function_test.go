package local

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative"
	"github.com/honeydue/backend/shared/devserver/devtest"
)

type bundle struct {
	*function

	url  string
	book *logBook
}

type echoed struct {
	PID     int
	Method  string
	URI     string
	Host    string
	Header  http.Header
	Body    string
	Environ []string
}

// setup serves one function, the echo program unless change says otherwise.
func setup(t *testing.T, change func(*knative.Function), env ...string) bundle {
	t.Helper()
	f := knative.Function{
		Name: "echo", Host: "echo.honeydue.svc.cluster.local", Paths: []string{"/api/echo"},
		Concurrency: 10, Timeout: 20 * time.Second, Idle: time.Hour, MaxScale: 1,
	}
	if change != nil {
		change(&f)
	}
	book := &logBook{}
	logs, err := book.writer("echo", filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, logs.file.Close()) })
	fn := newFunction(f, filepath.Join(os.Getenv(programs), "echo"), env, logs, slog.New(slog.DiscardHandler))
	server := httptest.NewServer(newGateway(http.NotFoundHandler(), []*function{fn}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { fn.stop(context.WithoutCancel(t.Context())) })
	return bundle{fn, server.URL, book}
}

func (b bundle) do(t *testing.T, method, path, body string, headers ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.url+path, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	res, err := devtest.Client.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, res.Body.Close()) })
	return res
}

func (b bundle) echo(t *testing.T, path string) echoed {
	t.Helper()
	return decode(t, b.do(t, http.MethodGet, path, ""))
}

func decode(t *testing.T, res *http.Response) echoed {
	t.Helper()
	require.Equal(t, http.StatusOK, res.StatusCode)
	var e echoed
	require.NoError(t, json.NewDecoder(res.Body).Decode(&e))
	return e
}

func requireProblem(t *testing.T, res *http.Response, status int) {
	t.Helper()
	require.Equal(t, status, res.StatusCode)
	require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
	var document struct{ Status int }
	require.NoError(t, json.NewDecoder(res.Body).Decode(&document))
	require.Equal(t, status, document.Status)
}

func requireGone(t *testing.T, pid int) {
	t.Helper()
	require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH)
}

func TestFirstRequestStartsTheProgram(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, "FROM_MANIFEST=yes")
	require.Equal(t, functionStatus{Name: "echo", State: stateZero}, b.status())
	e := b.echo(t, "/api/echo/")
	require.Contains(t, e.Environ, "FROM_MANIFEST=yes")
	require.Contains(t, e.Environ, "LISTEN_HOST=127.0.0.1")
	require.NotContains(t, strings.Join(e.Environ, "\n"), "HOME=", "a program gets what its manifest names")
	s := b.status()
	require.Equal(t, stateServing, s.State)
	require.Equal(t, e.PID, s.PID)
	require.Equal(t, 1, s.Starts)
	require.Positive(t, s.LastColdStartMS)
	require.Positive(t, s.ResidentBytes)
	require.Equal(t, e.PID, b.echo(t, "/api/echo/").PID)
}

func TestManyFirstRequestsStartOne(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	var all sync.WaitGroup
	pids := make(chan int, 40)
	for range cap(pids) {
		all.Go(func() { pids <- b.echo(t, "/api/echo/").PID })
	}
	all.Wait()
	close(pids)
	for pid := range pids {
		require.Equal(t, b.status().PID, pid)
	}
	require.Equal(t, 1, b.status().Starts)
}

func TestRequestsArriveAsTheEdgeSendsThem(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	e := decode(t, b.do(t, http.MethodPost, "/api/echo/a%2Fb/?q=1;2&x=%zz", "body",
		"X-Forwarded-For", "203.0.113.7", "Forwarded", "for=203.0.113.7", "Idempotency-Key", "k", "Ce-Type", "x"))
	require.Equal(t, "/api/echo/a%2Fb/?q=1;2&x=%zz", e.URI)
	require.Equal(t, "echo.honeydue.svc.cluster.local", e.Host)
	require.Equal(t, "body", e.Body)
	require.Equal(t, []string{"203.0.113.7, 127.0.0.1"}, e.Header["X-Forwarded-For"])
	require.Equal(t, "for=203.0.113.7", e.Header.Get("Forwarded"))
	require.Equal(t, strings.TrimPrefix(b.url, "http://"), e.Header.Get("X-Forwarded-Host"))
	require.Equal(t, "k", e.Header.Get("Idempotency-Key"))
	require.Equal(t, []string{"127.0.0.1"}, decode(t, b.do(t, http.MethodGet, "/api/echo", "")).Header["X-Forwarded-For"])
}

func TestUnknownPathsAreNotFound(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	for _, path := range []string{"/api", "/api/ech", "/api/echoes/", "/echo/", "//api/echo/"} {
		requireProblem(t, b.do(t, http.MethodGet, path, ""), http.StatusNotFound)
	}
	require.Equal(t, stateZero, b.status().State)
}

func TestIdleProgramIsStopped(t *testing.T) {
	t.Parallel()
	b := setup(t, func(f *knative.Function) { f.Idle = 50 * time.Millisecond })
	first := b.echo(t, "/api/echo/").PID
	require.Eventually(t, func() bool { return b.status().State == stateZero }, 10*time.Second, 5*time.Millisecond)
	requireGone(t, first)
	require.Contains(t, b.messages(), "drained")
	require.NotEqual(t, first, b.echo(t, "/api/echo/").PID)
	require.Equal(t, 2, b.status().Starts)
}

func (b bundle) messages() []string {
	var messages []string
	for _, line := range b.book.list() {
		messages = append(messages, line.Message)
	}
	return messages
}

// A request that comes while the last one's process drains gets a new process and no error.
func TestNoRequestMeetsADrainingProgram(t *testing.T) {
	t.Parallel()
	b := setup(t, func(f *knative.Function) { f.Idle = time.Nanosecond })
	for range 30 {
		b.echo(t, "/api/echo/")
	}
	require.Greater(t, b.status().Starts, 1)
}

func TestKeptProgramIsNotStoppedAndComesBack(t *testing.T) {
	t.Parallel()
	b := setup(t, func(f *knative.Function) { f.MinScale, f.Idle = 1, time.Millisecond })
	first := b.echo(t, "/api/echo/").PID
	require.Nil(t, b.idling)
	require.True(t, b.kill())
	require.Eventually(t, func() bool { return b.status().State == stateServing }, 10*time.Second, 5*time.Millisecond)
	require.NotEqual(t, first, b.status().PID)
}

func TestCrashedProgramStartsAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	require.False(t, b.kill())
	first := b.echo(t, "/api/echo/").PID
	require.True(t, b.kill())
	requireGone(t, first)
	require.NotEqual(t, first, b.echo(t, "/api/echo/").PID)
}

// What may have had an effect is not done twice, not even when net/http holds it for repeatable.
func TestRequestThatDiedIsNotRepeated(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.echo(t, "/api/echo/")
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		starts := b.status().Starts
		requireProblem(t, b.do(t, method, "/api/echo/die", "", "Idempotency-Key", "k"), http.StatusBadGateway)
		b.echo(t, "/api/echo/")
		require.Equal(t, starts+1, b.status().Starts)
	}
}

func TestProgramThatDoesNotStart(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, "FAIL=1")
	requireProblem(t, b.do(t, http.MethodGet, "/api/echo/", ""), http.StatusBadGateway)
	require.Eventually(t, func() bool { return b.status().State == stateZero }, 10*time.Second, time.Millisecond)
	require.Contains(t, b.messages(), "does not start")
	require.Equal(t, "exit status 1", b.lastFailure())

	mended := setup(t, nil)
	mended.failure = "exit status 1"
	mended.echo(t, "/api/echo/")
	require.Eventually(t, func() bool { return mended.lastFailure() == "" }, 10*time.Second, time.Millisecond)
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	b := setup(t, func(f *knative.Function) { f.Timeout = 300 * time.Millisecond })
	b.echo(t, "/api/echo/")
	requireProblem(t, b.do(t, http.MethodPost, "/api/echo/wait", "x"), http.StatusGatewayTimeout)
	require.Eventually(t, func() bool { return b.status().InFlight == 0 }, 10*time.Second, time.Millisecond)
	b.echo(t, "/api/echo/")
}

func TestConcurrencyQueues(t *testing.T) {
	t.Parallel()
	b := setup(t, func(f *knative.Function) { f.Concurrency = 2 })
	b.echo(t, "/api/echo/")
	begun := time.Now()
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() { b.echo(t, "/api/echo/nap") })
	}
	require.Eventually(t, func() bool { return b.status().InFlight == 6 }, 10*time.Second, time.Millisecond)
	require.Len(t, b.slots, 2)
	all.Wait()
	require.GreaterOrEqual(t, time.Since(begun), 300*time.Millisecond, "three rounds of two")
}

func TestTooManyWaiting(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.mu.Lock()
	b.requests = maxWaiting + cap(b.slots)
	b.mu.Unlock()
	res := b.do(t, http.MethodGet, "/api/echo/", "")
	requireProblem(t, res, http.StatusServiceUnavailable)
	require.Equal(t, "1", res.Header.Get("Retry-After"))
}

func TestCallerWhoLeavesFreesItsPlace(t *testing.T) {
	t.Parallel()
	b := setup(t, func(f *knative.Function) { f.Concurrency = 1 })
	b.echo(t, "/api/echo/")
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url+"/api/echo/wait", nil)
	require.NoError(t, err)
	left := make(chan error, 1)
	go func() {
		res, err := devtest.Client.Do(req)
		if err == nil {
			_ = res.Body.Close()
		}
		left <- err
	}()
	require.Eventually(t, func() bool { return b.status().InFlight == 1 }, 10*time.Second, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-left, context.Canceled)
	b.echo(t, "/api/echo/")
}

func TestStopEndsWhatDoesNotListen(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, "LATE=1")
	pid := b.echo(t, "/api/echo/").PID
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	b.stop(ctx)
	requireGone(t, pid)
	requireProblem(t, b.do(t, http.MethodGet, "/api/echo/", ""), http.StatusServiceUnavailable)
}

func TestBigBodiesAndAnswersPass(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	body := strings.Repeat("x", 3<<20)
	e := decode(t, b.do(t, http.MethodPut, "/api/echo/", body))
	require.Len(t, e.Body, len(body))
}

func TestLogLines(t *testing.T) {
	t.Parallel()
	book := &logBook{}
	w, err := book.writer("f", filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	_, err = io.WriteString(w, `{"time":"2026-01-02T03:04:05Z","level":"INFO","msg":"request","function":"f","status":200,"path":"/x"}`+"\npan")
	require.NoError(t, err)
	_, err = io.WriteString(w, "ic: oh\n"+strings.Repeat("y", maxLineBytes+1))
	require.NoError(t, err)
	lines := book.list()
	require.Len(t, lines, 3)
	require.Equal(t, logLine{
		At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Function: "f", Level: "INFO", Message: "request",
		Rest: "path=/x status=200",
	}, lines[2])
	require.Equal(t, "panic: oh", lines[1].Message)
	for range maxLines * 2 {
		_, err = io.WriteString(w, "\n")
		require.NoError(t, err)
	}
	require.Len(t, book.list(), maxLines)
}
