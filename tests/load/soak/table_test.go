package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/bench/report"
)

// soaked are the samples of ten minutes, in which n says how much of something a function holds after so long.
func soaked(n func(what, of string, after time.Duration) float64) (all []sample) {
	for after := time.Duration(0); after <= 10*time.Minute; after += apart {
		for pid, name := range functions() {
			for _, what := range []string{memory, goroutines, files, threads, clients, connections} {
				all = append(all, sample{after, what, name, 100 + pid, n(what, name, after)})
			}
		}
		all = append(all, sample{after, cached, "all", 0, n(cached, "all", after)})
	}
	return all
}

func TestWhatGrowsIsSeen(t *testing.T) {
	t.Parallel()
	o := options{duration: 10 * time.Minute}
	judged := func(samples []sample) (bool, string) {
		var said bytes.Buffer
		flat, err := compare(&said, o, samples)
		require.NoError(t, err)
		steady, err := tellLives(&said, samples)
		require.NoError(t, err)
		return flat && steady, said.String()
	}
	grows := func(what, of string, a, b float64) []sample {
		return soaked(func(w, f string, after time.Duration) float64 {
			if w == what && f == of {
				return a + (b-a)*after.Minutes()/10
			}
			return 20
		})
	}
	met, said := judged(grows(memory, "tasks", 20, 20))
	require.True(t, met, said)
	for _, c := range []struct {
		what, of string
		a, b     float64
		met      bool
	}{
		{memory, "tasks", 20, 30, false},        // far less than a twentieth of all, in one process
		{memory, "tasks", 20, 22, true},         // which is noise
		{goroutines, "media", 20, 40, false},    // a leak of two a minute
		{files, "auth", 100, 103, true},         // a twentieth
		{clients, "site", 2, 12, false},         // a pool that is not given back
		{threads, "site", 2, 8, true},           // they come with what waits
		{connections, "uploads", 0, 4, true},    // they are the pooler's
		{cached, "all", 20, 40, false},          // of all functions
		{memory, "notifications", 40, 20, true}, // it shrank
	} {
		met, said := judged(grows(c.what, c.of, c.a, c.b))
		require.Equal(t, c.met, met, "%v: %s", c, said)
	}
	_, said = judged(grows(goroutines, "media", 20, 40))
	require.Contains(t, said, "target 0: "+report.Verdict(false)+"\n  goroutines of media\n")
}

// What was not looked at is not flat.
func TestMissingSamplesAreAMiss(t *testing.T) {
	t.Parallel()
	var some []sample
	for _, s := range soaked(func(string, string, time.Duration) float64 { return 20 }) {
		if s.of != "media" || s.after < 6*time.Minute {
			some = append(some, s)
		}
	}
	var said bytes.Buffer
	flat, err := compare(&said, options{duration: 10 * time.Minute}, some)
	require.NoError(t, err)
	require.False(t, flat)
	require.Contains(t, said.String(), "not in the sums below: 6, target 0: "+report.Verdict(false))
}
