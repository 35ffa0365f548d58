package main

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	manifests "github.com/honeydue/backend/knative"
)

func TestWakeUps(t *testing.T) {
	t.Parallel()
	const window = 10 * time.Second
	at := func(seconds ...int) (calls []time.Duration) {
		for _, s := range seconds {
			calls = append(calls, time.Duration(s)*time.Second)
		}
		return calls
	}
	for _, c := range []struct {
		calls []time.Duration
		times int
		awake time.Duration
	}{
		{nil, 0, 0},
		{at(7), 1, window},
		{at(100, 0), 2, 2 * window},
		{at(0, 4, 4), 1, 14 * time.Second},
		{at(0, 10), 1, 20 * time.Second},
		{at(0, 11), 2, 20 * time.Second},
	} {
		times, awake := wakeUps(c.calls, window)
		require.Equal(t, c.times, times, c.calls)
		require.Equal(t, c.awake, awake, c.calls)
	}
}

func TestMinutes(t *testing.T) {
	t.Parallel()
	minutes, err := minutesOf("*/15 * * * *")
	require.NoError(t, err)
	require.Equal(t, []int{0, 15, 30, 45}, minutes)
	minutes, err = minutesOf("30 * * * *")
	require.NoError(t, err)
	require.Equal(t, []int{30}, minutes)
	for _, cron := range []string{"30 6 * * *", "*/0 * * * *", "x * * * *", "60 * * * *", "", "@hourly"} {
		_, err := minutesOf(cron)
		require.Error(t, err, cron)
	}
}

func TestHours(t *testing.T) {
	t.Parallel()
	draw, drawn := rand.New(rand.NewPCG(1, 2)), [24]int{}
	for range 10_000 {
		drawn[hourOf(draw)]++
	}
	require.Greater(t, drawn[19], 5*drawn[3], "the evening")
}

// TestDays lives with the real manifests: every function and schedule is known, and the ticks alone are as many as they say.
func TestDays(t *testing.T) {
	t.Parallel()
	m, err := manifests.Read()
	require.NoError(t, err)
	few, err := live(m, 10)
	require.NoError(t, err)
	many, err := live(m, 1_000)
	require.NoError(t, err)
	require.InDelta(t, 288, few.wakes["sweeper"], 1, "every five minutes")
	require.GreaterOrEqual(t, few.wakes["notifications"], 288.0)
	require.Greater(t, many.wakes["notifications"], few.wakes["notifications"])
	require.Greater(t, many.awake["tasks"], few.awake["tasks"])
	require.LessOrEqual(t, many.awake["tasks"], 24.5)
	require.Zero(t, many.wakes["auth"], "it never sleeps")
	require.LessOrEqual(t, many.database, 24.1)
	again, err := live(m, 1_000)
	require.NoError(t, err)
	require.Equal(t, many, again, "the same households")
}
