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
	require.True(t, grown(goal{at: []int{1_000_000}, times: 1_000}))
	require.False(t, grown(goal{at: []int{1_000_000}, times: 999}))
	require.False(t, grown(goal{at: []int{1_000_000}, times: 1_000, steepest: 0.9}), "both are asked of the last point")
	require.True(t, grown(goal{at: []int{10_000_000}, times: 1}), "a size that nobody measured")
	require.True(t, grown(goal{steepest: 1.1}))
	require.False(t, grown(goal{steepest: 0.9}))
}

func TestWhatWasNotMeasuredIsSaid(t *testing.T) {
	t.Parallel()
	of := &table{title: "Calls", grows: "tasks of others"}
	of.add("board", milliseconds, point{size: 1_000, p50: 1})
	of.require("board", goal{short: "board", at: []int{1_000, 10_000_000}, times: 1})
	var said bytes.Buffer
	met, err := of.print(&said)
	require.NoError(t, err)
	require.True(t, met)
	require.Contains(t, said.String(), "Not measured here: board, 10 M tasks of others\n")
}

func TestAnswersAreLookedInto(t *testing.T) {
	t.Parallel()
	body := []byte(`{"tasks":[{"residence_id":1},{"residence_id":1}]}`)
	require.NoError(t, hasTasks(2)(body))
	require.ErrorContains(t, hasTasks(3)(body), "2 of 3")
	require.NoError(t, says("tasks")(body))
	require.Error(t, says("homes")(body))
}
