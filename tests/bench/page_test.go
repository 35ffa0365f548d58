package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/bench/report"
)

// TestPage: a benchmark that is run again takes its own place on the page alone.
func TestPage(t *testing.T) {
	t.Parallel()
	docs := t.TempDir()
	folder := filepath.Join(docs, "performance")
	require.NoError(t, os.Mkdir(folder, 0o755))
	all := []part{{name: "first", title: "One", command: []string{"one"}}, {name: "second", title: "Two", command: []string{"two"}}, {name: "third"}}
	first := outcome{
		Date: "2026-11-23", Commit: "abc", Machine: []string{"2 cores"}, Minutes: 1.25, Met: true, Lines: []string{"boards  3 ms  met", "logins  4 ms  met"},
		Records: []report.Record{
			{Goal: &report.Goal{What: "board", Beside: "pgbench", Measured: "0.7", Target: "0.6", Met: true}},
			{Point: &report.Point{Plot: "first/a board, ms by tasks*", Line: "p50", X: 10, Y: 1}},
			{Point: &report.Point{Plot: "first/a board, ms by tasks*", Line: "p50", X: 100, Y: 2}},
		},
	}
	require.NoError(t, first.keep(folder, "first"))
	second := outcome{Date: "2026-11-24", Commit: "def", Machine: []string{"2 cores"}, Lines: []string{"mail  9 ms  MISSED"}}
	require.NoError(t, second.keep(folder, "second"))
	page := func() string {
		require.NoError(t, write(docs, all))
		text, err := os.ReadFile(filepath.Join(docs, "performance.md"))
		require.NoError(t, err)
		return string(text)
	}
	text := page()
	require.Contains(t, text, "| board | pgbench | 0.7 | 0.6 | met |")
	require.Contains(t, text, "## One\n\n`one`, 2026-11-23, commit abc, 1.2 min: 2 targets met, 0 missed.\n\n![](performance/first-a-board.svg)")
	require.Contains(t, text, "`two`, 2026-11-24, commit def, 0.0 min: 0 targets met, 1 missed; it ended with an error or a target missed.")
	require.Contains(t, text, "they were not run: third.")
	require.Equal(t, 1, strings.Count(text, "- 2 cores"))
	require.FileExists(t, filepath.Join(folder, "first-a-board.svg"))

	second.Met, second.Lines = true, []string{"mail  5 ms  met"}
	require.NoError(t, second.keep(folder, "second"))
	again := page()
	require.Contains(t, again, "commit def, 0.0 min: 1 targets met, 0 missed.\n")
	require.Contains(t, again, "logins  4 ms  met")

	require.NoError(t, os.WriteFile(filepath.Join(folder, "second.json"), []byte("{"), 0o600))
	require.ErrorContains(t, write(docs, all), "read outcome second")
}

// TestRun: what a benchmark printed and recorded is kept, also when it missed a target; one that did not come to its end leaves nothing.
func TestRun(t *testing.T) {
	t.Parallel()
	said := func(script string) (outcome, error) {
		p := part{name: "one", command: []string{"sh", "-c", script}}
		return p.run(t.Context(), t.TempDir(), io.Discard)
	}
	o, err := said(`echo a table; echo '{"goal": {"what": "board", "met": true}}' >>"$` + report.File + `"`)
	require.NoError(t, err)
	require.True(t, o.Met)
	require.Equal(t, []string{"a table"}, o.Lines)
	require.Len(t, o.Records, 1)
	require.NotEmpty(t, o.Commit)

	o, err = said(`echo a table; echo '{"whole": true}' >>"$` + report.File + `"; exit 1`)
	require.NoError(t, err)
	require.False(t, o.Met)
	require.Equal(t, []string{"a table"}, o.Lines)
	require.Empty(t, o.Records)

	_, err = said("echo half a table; exit 1")
	require.ErrorContains(t, err, "did not come to its end")
	_, err = part{name: "none", command: []string{"/nowhere/none"}}.run(t.Context(), t.TempDir(), io.Discard)
	require.ErrorContains(t, err, "did not come to its end")
}

func TestDecades(t *testing.T) {
	t.Parallel()
	labels := func(least, most float64) (all []string) {
		for _, mark := range (decades{}).Ticks(least, most) {
			if mark.Label != "" {
				all = append(all, mark.Label)
			}
		}
		return all
	}
	require.Equal(t, []string{"5", "10", "20", "50"}, labels(4, 70))
	require.Equal(t, []string{"10", "100", "1000", "10000", "100000", "1e+06"}, labels(10, 1e6))
	require.Equal(t, []string{"0.5", "1", "2"}, labels(0.4, 3))
	require.Equal(t, []string{"30", "40"}, labels(21, 48), "an axis has numbers")
	require.Empty(t, labels(0, 2))
}

// TestChoose is not parallel: whether there is a cluster stands in the environment.
func TestChoose(t *testing.T) {
	t.Setenv(ingress, "")
	_, err := choose("limits,cluster")
	require.ErrorContains(t, err, "benchmark cluster needs a cluster")
	_, err = choose("limits,none")
	require.ErrorContains(t, err, `there is no benchmark "none"`)
	here, err := choose("")
	require.NoError(t, err)
	chosen, err := choose("soak,limits")
	require.NoError(t, err)
	require.Equal(t, []string{"soak", "limits"}, []string{chosen[0].name, chosen[1].name})
	t.Setenv(ingress, "127.0.0.1:80")
	everywhere, err := choose("")
	require.NoError(t, err)
	require.Len(t, everywhere, len(here)+2)
}
