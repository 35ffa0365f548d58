package load

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestArguments(t *testing.T) {
	t.Parallel()
	test := Test{Function: "tasks", Rate: 150}
	o, err := test.parse(nil)
	require.NoError(t, err)
	require.Equal(t, options{rate: 150, duration: 15 * time.Second, clients: 16}, o)

	o, err = test.parse([]string{"-target", "http://127.0.0.1:8080", "-rate", "0", "-duration", "40m", "-clients", "1024", "-plot", "p.html"})
	require.NoError(t, err)
	require.Equal(t, options{target: "http://127.0.0.1:8080", duration: 40 * time.Minute, clients: 1024, plot: "p.html"}, o)
}

func TestWrongArguments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		said string
		args []string
	}{
		{"one too many", []string{"tasks"}},
		{"one too many", []string{"-rate", "7", "http://127.0.0.1:8080"}},
		{"-rate is from 0 to 20000", []string{"-rate", "-1"}},
		{"-rate is from 0 to 20000", []string{"-rate", "20001"}},
		{"invalid value", []string{"-rate", "many"}},
		{"-duration is at most 40m", []string{"-duration", "0s"}},
		{"-duration is at most 40m", []string{"-duration", "41m"}},
		{"invalid value", []string{"-duration", "7"}},
		{"-clients is from 1 to 1024", []string{"-clients", "0"}},
		{"-clients is from 1 to 1024", []string{"-clients", "1025"}},
		{"invalid value", []string{"-clients", "-1"}},
		{"more than 2000000 requests: lower -rate or -duration", []string{"-rate", "20000", "-duration", "101s"}},
		{"leave -target out", []string{"-profiles", "p", "-target", "http://127.0.0.1:8080"}},
		{"not defined", []string{"-requests", "7"}},
		{"needs an argument", []string{"-rate"}},
	} {
		_, err := Test{Function: "tasks"}.parse(c.args)
		require.ErrorContains(t, err, "read arguments: ", c.args)
		require.ErrorContains(t, err, c.said, c.args)
	}
	_, err := Test{Function: "media", Inside: true}.parse([]string{"-target", "cluster"})
	require.ErrorContains(t, err, "only inside")
	_, err = Test{Function: "media", Inside: true}.parse([]string{"-rate", "1001", "-duration", "100s"})
	require.ErrorContains(t, err, "more than 100000 requests")
}

func TestForeignTargets(t *testing.T) {
	t.Parallel()
	for _, target := range []string{
		"https://api.myhoneydue.com", "http://api.myhoneydue.com", "http://203.0.113.7:8080", "http://10.0.0.7:8080", "http://192.168.1.7",
		"http://0.0.0.0:8080", "http://[::]:8080", "http://169.254.169.254", "http://[fe80::1]:8080", "http://[::ffff:10.0.0.7]:8080",
		"https://127.0.0.1:8080", "http://127.0.0.1:8080/api", "http://127.0.0.1:8080/", "127.0.0.1:8080", "localhost:8080",
		"http://localhost:8080", "http://127.0.0.1.example.com:8080", "http://127.0.0.1@203.0.113.7:8080", "http://2130706433:8080",
		"http://", "unix:///tmp/socket", "clusters", "Cluster", " ",
	} {
		at := &Site{client: &http.Client{Transport: nobody{t}}}
		err := at.join(target)
		require.ErrorContains(t, err, "read -target: not", target)
		require.Empty(t, at.URL, target)
	}
}

// nobody is a network on which nothing may be sent.
type nobody struct{ t *testing.T }

func (n nobody) RoundTrip(r *http.Request) (*http.Response, error) {
	n.t.Errorf("%s was asked", r.URL.Host)
	return nil, io.EOF
}

// A target on this machine that is no system of ours is refused as well.
func TestTargetIsASystem(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	at := &Site{client: other.Client()}
	require.ErrorContains(t, at.join(other.URL), "`make run`")

	system := httptest.NewServer(state(os.Getpid()))
	t.Cleanup(system.Close)
	at = &Site{client: system.Client(), function: "tasks"}
	require.NoError(t, at.join(system.URL))
	require.Equal(t, system.URL, at.URL)
	require.Equal(t, system.URL, at.Phone().URL)
}

// state answers as a running system does about its functions.
func state(pid int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"functions": []map[string]any{{"name": "tasks", "pid": pid}}})
	})
}

func TestMixed(t *testing.T) {
	t.Parallel()
	const draws = 20_000
	share := func(weight int, name string) Share {
		return Share{Weight: weight, Call: func() Call { return Call{Name: name} }}
	}
	next := Mixed(share(70, "often"), share(25, "at times"), share(0, "never"), share(5, "seldom"))
	drawn := map[string]int{}
	for range draws {
		drawn[next().Name]++
	}
	// Five standard deviations: once in a million runs chance alone exceeds them.
	require.InDelta(t, 0.70*draws, drawn["often"], 330)
	require.InDelta(t, 0.25*draws, drawn["at times"], 310)
	require.InDelta(t, 0.05*draws, drawn["seldom"], 160)
	require.Zero(t, drawn["never"])
}

func TestPool(t *testing.T) {
	t.Parallel()
	var p Pool[int]
	_, ok := p.Take()
	require.False(t, ok)
	p.Put(1)
	p.Put(2)
	for want := 1; want <= 2; want++ {
		got, ok := p.Take()
		require.True(t, ok)
		require.Equal(t, want, got)
	}
	_, ok = p.Take()
	require.False(t, ok)
}

func TestSomeOfAPool(t *testing.T) {
	t.Parallel()
	var p Pool[int]
	require.Empty(t, p.Some(3))
	for n := range 10 {
		p.Put(n)
	}
	drawn := p.Some(7)
	require.Len(t, drawn, 7)
	slices.Sort(drawn)
	require.Len(t, slices.Compact(drawn), 7, "each once")
	require.ElementsMatch(t, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, p.Some(20), "they stay")
}

func TestReread(t *testing.T) {
	t.Parallel()
	var p Pool[int]
	for n := range 10 {
		p.Put(n)
	}
	seen := 0
	require.NoError(t, Reread(t.Context(), &p, func(_ context.Context, n int) error { seen += n; return nil }))
	require.Equal(t, 45, seen)
	err := Reread(t.Context(), &p, func(_ context.Context, n int) error {
		if n == 7 {
			return io.ErrUnexpectedEOF
		}
		return nil
	})
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestHost(t *testing.T) {
	t.Parallel()
	for url, want := range map[string][2]string{
		"http://127.0.0.1:8080":     {"admin.localhost:8080", "site.localhost:8080"},
		"http://[::1]:8080":         {"admin.localhost:8080", "site.localhost:8080"},
		"http://api.myhoneydue.com": {"admin.myhoneydue.com", "myhoneydue.com"},
	} {
		at := &Site{URL: url}
		require.Equal(t, want, [2]string{at.Host("admin").Get("Host"), at.Host("site").Get("Host")}, url)
	}
}
