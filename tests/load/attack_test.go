package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	vegeta "github.com/tsenart/vegeta/v12/lib"

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
	require.Equal(t, requests, drawnPoints(t, string(plot)), "every answer is a point of the plot")

	var said bytes.Buffer
	met, err := Test{Function: "tasks", P99: time.Minute}.print(&said, o, r)
	require.NoError(t, err)
	require.False(t, met)
	require.Contains(t, said.String(), fmt.Sprintf("no wrong answer (%d of %d are): %s", other+missing, requests, report.Verdict(false)))
	require.Contains(t, said.String(), fmt.Sprintf("  %d times /other/: another was answered\n", other))
	require.Contains(t, said.String(), fmt.Sprintf("  %d times /missing/: answered 404, not 200\n", missing))
}

// drawnPoints counts the answers in a plot: in each row of its data the time comes first, and a value for each of the calls that has one.
func drawnPoints(t *testing.T, page string) (n int) {
	t.Helper()
	data := regexp.MustCompile(`(?s)var data = (.*?);\n`).FindStringSubmatch(page)
	require.NotNil(t, data)
	var rows [][]*float64
	require.NoError(t, json.Unmarshal([]byte(strings.ReplaceAll(data[1], "NaN", "null")), &rows))
	for _, row := range rows {
		for _, value := range row[1:] {
			if value != nil {
				n++
			}
		}
	}
	return n
}

// A function that answers nobody for a while is not in time, although it is quick in its good times.
func TestAStallIsSeen(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var seen atomic.Int64
	enough := make(chan struct{})
	at := setup(t, func(w http.ResponseWriter, r *http.Request) {
		// Whoever comes after the fiftieth waits for the hundredth, which is due half a second later.
		switch n := seen.Add(1) - warming; {
		case n == 100:
			close(enough)
		case n > 50 && n < 100:
			select {
			case <-enough:
			case <-ctx.Done():
			}
		}
		answer(w, r)
	})
	o := options{rate: 100, duration: 2 * time.Second, clients: 2}
	r, err := attack(ctx, at, o, func() Call { return asked("/right/", http.StatusOK) })
	require.NoError(t, err)
	require.Empty(t, r.wrong)
	var said bytes.Buffer
	met, err := Test{Function: "tasks", P99: 400 * time.Millisecond}.print(&said, o, r)
	require.NoError(t, err)
	require.False(t, met)
	require.Contains(t, said.String(), "each call in time: "+report.Verdict(false))
	require.Contains(t, said.String(), "too late: /right/\n")
}

func TestARequestIsDue(t *testing.T) {
	t.Parallel()
	began := time.Now()
	for _, c := range []struct {
		rate int
		seq  uint64
		sent time.Duration // after the beginning
		want time.Duration
	}{
		{100, 0, 11 * time.Millisecond, time.Millisecond}, {100, 49, 500 * time.Millisecond, 0}, {100, 49, 800 * time.Millisecond, 300 * time.Millisecond},
		{100, 49, 400 * time.Millisecond, 0}, {0, 49, 800 * time.Millisecond, 0},
	} {
		require.Equal(t, c.want, overdue(began, c.rate, &vegeta.Result{Seq: c.seq, Timestamp: began.Add(c.sent)}), c)
	}
}

func TestLate(t *testing.T) {
	t.Parallel()
	test := Test{P99: 10 * time.Millisecond, Slower: map[string]time.Duration{"slow": 100 * time.Millisecond}}
	of := func(took ...time.Duration) *vegeta.Metrics {
		m := &vegeta.Metrics{}
		for _, latency := range took {
			m.Add(&vegeta.Result{Code: http.StatusOK, Timestamp: time.Now(), Latency: latency})
		}
		m.Close()
		return m
	}
	often := func(latency time.Duration, n int) []time.Duration { return slices.Repeat([]time.Duration{latency}, n) }
	for name, c := range map[string]struct {
		call string
		took []time.Duration
		late bool
	}{
		"in time":                {"fast", often(9*time.Millisecond, 200), false},
		"too late":               {"fast", often(11*time.Millisecond, 200), true},
		"slower, as it may be":   {"slow", often(90*time.Millisecond, 200), false},
		"slower than that":       {"slow", often(110*time.Millisecond, 200), true},
		"one of a thousand":      {"fast", append(often(time.Millisecond, 999), time.Second), false},
		"one of 120":             {"fast", append(often(time.Millisecond, 119), 49*time.Millisecond), false},
		"one of thirty":          {"fast", append(often(time.Millisecond, 29), 49*time.Millisecond), false},
		"one of thirty, too far": {"fast", append(often(time.Millisecond, 29), 51*time.Millisecond), true},
	} {
		late := test.late(&result{byCall: map[string]*vegeta.Metrics{c.call: of(c.took...)}})
		require.Equal(t, c.late, len(late) > 0, name)
	}
}

func TestWrongAnswersArePrinted(t *testing.T) {
	t.Parallel()
	r := &result{wrong: map[string]int{"often": 70, "at times": 7}}
	for i := range 60 {
		r.wrong[fmt.Sprintf("once, %02d", i)] = 1
	}
	var said bytes.Buffer
	r.printWrong(&said)
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	require.Equal(t, []string{"70 times often", "  7 times at times", "  1 times once, 00"}, lines[:3])
	require.Len(t, lines, 51)
	require.Equal(t, "  and 12 things more", lines[50])
}

func TestReason(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`Get "http://127.0.0.1:80/#7": dial tcp 127.0.0.1:80: connect: connection refused`: "connection refused",
		`Get "http://127.0.0.1:80/#7": EOF`:                                                "EOF",
		"no targets":                                                                       "no targets",
	} {
		require.Equal(t, want, reason(text))
	}
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
		require.Equal(t, "/right/: no answer: EOF", what)
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
