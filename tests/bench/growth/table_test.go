package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSlope(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		figures [3]float64
		slope   float64
	}{
		"not at all":       {[3]float64{7, 7, 7}, 0},
		"in proportion":    {[3]float64{7, 70, 700}, 1},
		"with the square":  {[3]float64{7, 700, 70_000}, 2},
		"by least squares": {[3]float64{1, 1, 1_000}, 1.5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &series{}
			for i, size := range []int{10, 100, 1_000} {
				s.points = append(s.points, point{size: size, p50: test.figures[i]})
			}
			require.InDelta(t, test.slope, s.slope(), 1e-9)
		})
	}
}

func TestGoalsAreJudged(t *testing.T) {
	t.Parallel()
	grown := func(g goal) bool {
		of := &table{title: "Boards", grows: "tasks"}
		for _, size := range []int{1_000, 1_000_000} {
			of.add("board", milliseconds, point{size: size, p50: float64(size)})
		}
		of.require("board", g)
		met, err := of.print(&bytes.Buffer{})
		require.NoError(t, err)
		return met
	}
	require.True(t, grown(goal{}))
	require.True(t, grown(goal{at: 1_000_000, times: 1_000}))
	require.False(t, grown(goal{at: 1_000_000, times: 999}))
	require.True(t, grown(goal{at: 10_000_000, times: 1}), "a size that nobody measured")
	require.True(t, grown(goal{steepest: 1.1}))
	require.False(t, grown(goal{steepest: 0.9}))
}
