package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What is asked while a run is under way is asked in the next one, together.
func TestAGatheringAsksTogether(t *testing.T) {
	t.Parallel()
	const asking = 8
	runs, goOn := make(chan []int), make(chan error)
	g := gathering[int, int]{do: func(_ context.Context, asked []int) ([]int, error) {
		runs <- asked
		answers := make([]int, len(asked))
		for i, n := range asked {
			answers[i] = n * n
		}
		return answers, <-goOn
	}}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	var group sync.WaitGroup
	answers, errs := make([]int, asking), make([]error, asking)
	ask := func(i int) { group.Go(func() { answers[i], errs[i] = g.ask(ended, i) }) }
	ask(0)
	require.Equal(t, []int{0}, <-runs)
	for i := 1; i < asking; i++ {
		ask(i)
	}
	require.Eventually(t, func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return len(g.waiting) == asking-1
	}, 10*time.Second, time.Millisecond)
	goOn <- nil
	require.ElementsMatch(t, []int{1, 2, 3, 4, 5, 6, 7}, <-runs)
	goOn <- nil
	group.Wait()
	require.NoError(t, errors.Join(errs...))
	require.Equal(t, []int{0, 1, 4, 9, 16, 25, 36, 49}, answers)

	ask(3)
	require.Equal(t, []int{3}, <-runs)
	refused := errors.New("refused")
	goOn <- refused
	group.Wait()
	require.ErrorIs(t, errs[3], refused)
}

// A run that answers too few is one that answers nobody: who knows whose answers these are.
func TestAGatheringNeedsAllAnswers(t *testing.T) {
	t.Parallel()
	g := gathering[int, int]{do: func(context.Context, []int) ([]int, error) { return nil, nil }}
	_, err := g.ask(t.Context(), 1)
	require.ErrorIs(t, err, errUnanswered)
	require.False(t, g.running)
}

// One run ends by a fault, and more ask than go together: everybody has an answer, and the runs behind are none the worse.
func TestAGatheringEndsHoweverItsRunsDo(t *testing.T) {
	t.Parallel()
	const asking = 3 * gatheredAtMost
	begun, goOn := make(chan int), make(chan struct{})
	g := gathering[int, int]{do: func(_ context.Context, asked []int) ([]int, error) {
		begun <- len(asked)
		<-goOn
		if at := slices.Index(asked, 1); at >= 0 {
			return asked[:at+2*gatheredAtMost], nil // a fault: there are not as many
		}
		return asked, nil
	}}
	var group sync.WaitGroup
	answers, errs := make([]int, asking+1), make([]error, asking+1)
	faults := make(chan any, asking)
	ask := func(i int) {
		group.Go(func() {
			defer func() {
				if fault := recover(); fault != nil {
					faults <- fault
				}
			}()
			answers[i], errs[i] = g.ask(t.Context(), i)
		})
	}
	ask(0)
	require.Equal(t, 1, <-begun)
	for i := range asking {
		ask(i + 1)
	}
	require.Eventually(t, func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return len(g.waiting) == asking
	}, 10*time.Second, time.Millisecond)
	goOn <- struct{}{}
	for range 3 {
		require.Equal(t, gatheredAtMost, <-begun)
		goOn <- struct{}{}
	}
	group.Wait()
	require.Len(t, faults, 1)
	unanswered := 0
	for i, err := range errs {
		if err != nil {
			require.ErrorIs(t, err, errUnanswered)
			unanswered++
		} else if answers[i] != i {
			require.Zero(t, answers[i], "another one's answer")
		}
	}
	require.Equal(t, gatheredAtMost-1, unanswered, "the others of the run that ended by a fault")
	require.False(t, g.running)
}
