package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	manifests "github.com/honeydue/backend/knative"
)

// TestTables prints what a made-up machine would have done: Traefik a hundredth of a core, a function awake for 10 of 60 s.
func TestTables(t *testing.T) {
	t.Parallel()
	m, err := manifests.Read()
	require.NoError(t, err)
	edge, sweeper := part{ingress, "Traefik"}, part{functions, "sweeper"}
	began := time.Now()
	quiet := &watched{
		all:    spell{time.Minute, map[part]time.Duration{edge: 700 * time.Millisecond, sweeper: 100 * time.Millisecond}},
		calm:   spell{50 * time.Second, map[part]time.Duration{edge: 500 * time.Millisecond}},
		memory: map[part]int64{edge: 600 << 20, sweeper: 20 << 20}, looks: 6, processes: map[part]int{edge: 1},
		stays: map[string]*stay{"a": {"sweeper", began, began.Add(10 * time.Second)}},
	}
	var out strings.Builder
	require.NoError(t, quiet.print(&out))
	require.Regexp(t, `Traefik +1 +10\.0 +0\.70 s +100\.0 MiB`, out.String())
	require.NoError(t, quiet.printWakeUps(&out, m))
	require.Regexp(t, `sweeper +\[outbox uploads\] +288 +1 +10 s +30s`, out.String())

	c := &costs{
		session: map[string]time.Duration{functions: 20 * time.Millisecond, hosted: time.Second},
		wakeUp:  map[string]time.Duration{ofNode: 300 * time.Millisecond, scaffold: time.Hour}, stay: map[string]time.Duration{functions: 2 * time.Millisecond},
		woken: 12, rounds: 3, holds: 40 << 20,
	}
	require.NoError(t, c.print(&out))
	require.Regexp(t, `a session +20\.0 .* 20\.0\s`, out.String(), "the database is not on the nodes")
	b, err := billFor(m, quiet, c, usual)
	require.NoError(t, err)
	require.InDelta(t, 24*0.01*nodes, b.always, 1e-9, "one Traefik a node")
	require.Greater(t, b.cpu, b.always)
	require.NoError(t, printModel(&out, m, quiet, c))
	require.Contains(t, out.String(), "Per 1,000 households: ")
	t.Log("\n" + out.String())
}
