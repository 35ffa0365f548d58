package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/bench/report"
	"github.com/honeydue/backend/tests/story"
)

// setup serves handler on loopback, as a system whose function is this very process.
func setup(t *testing.T, handler http.HandlerFunc) *Site {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &Site{
		URL: server.URL, Phone: story.At(server.URL), function: "tasks", dir: t.TempDir(), client: server.Client(),
		pids: func() ([]int, error) { return []int{os.Getpid()}, nil },
	}
}

// answer is what a test's server answers with: right, unless the path says otherwise.
func answer(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/missing/":
		w.WriteHeader(http.StatusNotFound)
	case "/other/":
		_, _ = w.Write([]byte(`{"id":8}`))
	default:
		_, _ = w.Write([]byte(`{"id":7}`))
	}
}

func asked(path string, status int) Call {
	return Call{
		Name: path, Method: http.MethodGet, URL: path, Status: status,
		Check: func(_ http.Header, body []byte) error {
			shown, err := Decode[struct{ ID int }](body)
			return Wrong(err, shown.ID != 7, "another was answered")
		},
	}
}

func TestAttackCounts(t *testing.T) {
	t.Parallel()
	at := setup(t, answer)
	// Thirty are sent to warm up, all of them right.
	var sent atomic.Int64
	next := func() Call {
		n := sent.Add(1)
		switch {
		case n > 30 && n%3 == 0:
			return asked("/other/", http.StatusOK)
		case n > 30 && n%3 == 1:
			return asked("/missing/", http.StatusOK)
		}
		return asked("/right/", http.StatusOK)
	}
	o := options{rate: 300, duration: 300 * time.Millisecond, clients: 4}
	r, err := attack(t.Context(), at, o, next)
	require.NoError(t, err)
	requests := int(sent.Load()) - 30
	missing, right, other := (requests+2)/3, (requests+1)/3, requests/3
	require.Positive(t, other)
	require.Equal(t, map[string]int{"/other/: another was answered": other, "/missing/: answered 404, not 200": missing}, r.wrong)
	require.EqualValues(t, requests, r.all.Requests)
	for name, n := range map[string]int{"/right/": right, "/other/": other, "/missing/": missing} {
		require.EqualValues(t, n, r.byCall[name].Requests, name)
	}
	require.Equal(t, 1, r.used.processes)
	require.Positive(t, r.used.peak)

	plot, err := os.ReadFile(r.plot)
	require.NoError(t, err)
	require.Contains(t, string(plot), "honeyDue: tasks")
	require.Contains(t, string(plot), "/right/")

	var said bytes.Buffer
	met, err := Test{Function: "tasks", P99: time.Minute}.print(&said, o, r)
	require.NoError(t, err)
	require.False(t, met)
	require.Contains(t, said.String(), fmt.Sprintf("no wrong answer (%d of %d are): %s", other+missing, requests, report.Verdict(false)))
	require.Contains(t, said.String(), fmt.Sprintf("  %d times /other/: another was answered\n", other))
	require.Contains(t, said.String(), fmt.Sprintf("  %d times /missing/: answered 404, not 200\n", missing))
}

func TestAttackWithoutAWrongAnswer(t *testing.T) {
	t.Parallel()
	at := setup(t, answer)
	o := options{rate: 0, duration: 100 * time.Millisecond, clients: 2}
	r, err := attack(t.Context(), at, o, func() Call { return asked("/right/", http.StatusOK) })
	require.NoError(t, err)
	require.Empty(t, r.wrong)
	var said bytes.Buffer
	met, err := Test{Function: "tasks", P99: time.Nanosecond}.print(&said, o, r)
	require.NoError(t, err)
	require.True(t, met, "as fast as answers come there is no promise of time")

	o.rate = 1
	met, err = Test{Function: "tasks", P99: time.Nanosecond}.print(io.Discard, o, r)
	require.NoError(t, err)
	require.False(t, met)
	r.lost = io.ErrUnexpectedEOF
	o.rate = 0
	met, err = Test{Function: "tasks"}.print(&said, o, r)
	require.NoError(t, err)
	require.False(t, met, "what was lost breaks the promise")
}

// A load that begins with a wrong answer is not worth its time.
func TestWarmingUpRefuses(t *testing.T) {
	t.Parallel()
	at := setup(t, answer)
	_, err := attack(t.Context(), at, options{rate: 1, duration: time.Second, clients: 1}, func() Call { return asked("/other/", http.StatusOK) })
	require.ErrorContains(t, err, "warm up: /other/: another was answered")
}

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	var seen atomic.Int64
	at := setup(t, func(w http.ResponseWriter, r *http.Request) {
		if seen.Add(1) > 30 {
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_ = conn.Close()
			}
			return
		}
		answer(w, r)
	})
	r, err := attack(t.Context(), at, options{rate: 50, duration: 100 * time.Millisecond, clients: 1}, func() Call { return asked("/right/", http.StatusOK) })
	require.NoError(t, err)
	wrong := 0
	for what, n := range r.wrong {
		require.True(t, strings.HasPrefix(what, "/right/: no answer: "), what)
		wrong += n
	}
	require.Positive(t, wrong)
	require.EqualValues(t, r.all.Requests, wrong)
}

// What a call says of itself reaches the function: who calls from where, what they send, and to which host.
func TestCallsAreSent(t *testing.T) {
	t.Parallel()
	at := setup(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_ = json.NewEncoder(w).Encode(map[string]string{
			"host": r.Host, "token": r.Header.Get("Authorization"), "from": r.Header.Get("X-Forwarded-For"),
			"type": r.Header.Get("Content-Type"), "body": string(body), "uri": r.RequestURI,
		})
	})
	got := func(call Call) (seen map[string]string) {
		call.Method, call.Status = http.MethodPost, http.StatusOK
		call.Check = func(_ http.Header, body []byte) (err error) {
			seen, err = Decode[map[string]string](body)
			return err
		}
		require.NoError(t, warm(t.Context(), at, func() Call { return call }))
		return seen
	}
	phone := &story.Phone{Address: "192.0.2.7", Token: "hd_token"}
	require.Equal(t, map[string]string{
		"host": "admin.localhost", "token": "Token hd_token", "from": "192.0.2.7", "type": "application/json", "body": `{"a":1}`, "uri": "/x/?q=1",
	}, got(Call{URL: "/x/?q=1", As: phone, Body: map[string]int{"a": 1}, Header: http.Header{"Host": {"admin.localhost"}}}))
	form := got(Call{URL: at.URL + "/y/", Body: []byte("a=1"), Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}})
	require.Equal(t, "a=1", form["body"])
	require.Equal(t, "application/x-www-form-urlencoded", form["type"])
	require.Equal(t, "/y/", form["uri"])
	require.Empty(t, form["token"])
}
