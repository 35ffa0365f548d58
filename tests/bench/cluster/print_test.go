package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/bench/turns"
)

func TestTables(t *testing.T) {
	t.Parallel()
	// answered is a run of a second with so many answers, for each of which the program took a tenth of a millisecond.
	answered := func(n int) run {
		r := run{Run: turns.Run{Took: time.Second}, used: map[string]time.Duration{program: time.Duration(n) * 100 * time.Microsecond}}
		for range n {
			r.Times = append(r.Times, time.Millisecond)
		}
		return r
	}
	one := func(by string, n ...int) *side {
		s := &side{what: "board", way: way{name: by}}
		for _, n := range n {
			s.runs = append(s.runs, answered(n))
		}
		return s
	}
	s := sides{
		board: one("all", 600, 500, 700), boardSidecar: one("sidecar", 800, 800, 800), boardAlone: one("alone", 1000, 1000, 1000),
		lookups: one("all", 1, 1, 1), lookupsAlone: one("alone", 1, 1, 1), empty: one("all", 1, 1, 1), emptyAlone: one("alone", 1, 1, 1),
	}
	var out strings.Builder
	require.NoError(t, printSides(&out, s.all()))
	require.Regexp(t, `all +600 +1\.0 ms +1\.0 ms +100 µs .* 100 µs`, out.String())
	met, err := s.verdicts(&out)
	require.NoError(t, err)
	require.True(t, met)
	require.Regexp(t, `board through Traefik and queue-proxy +the function alone +0\.60 \(0\.50–0\.70\) +at least 0\.50 +met`, out.String())

	s.board = one("all", 400, 400, 600)
	out.Reset()
	met, err = s.verdicts(&out)
	require.NoError(t, err)
	require.False(t, met)
	require.Equal(t, 1, strings.Count(out.String(), "MISSED"))
}
