package turns_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/bench/turns"
)

func TestAsk(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	r, err := turns.Ask(3, func() (time.Duration, bool, error) {
		n := asked.Add(1)
		return time.Duration(101-n) * time.Millisecond, n <= 100, nil
	})
	require.NoError(t, err)
	require.Equal(t, 100, r.Done())
	require.InDelta(t, 51, r.Percentile(50), 1e-9)
	require.InDelta(t, 100, r.Percentile(99), 1e-9)
	require.InDelta(t, 100/r.Took.Seconds(), r.Rate(), 1e-6)

	_, err = turns.Ask(2, func() (time.Duration, bool, error) { return 0, false, nil })
	require.ErrorContains(t, err, "nothing was done")
	refused := errors.New("refused")
	_, err = turns.Ask(2, func() (time.Duration, bool, error) { return 0, true, refused })
	require.ErrorIs(t, err, refused)
}

func TestCompare(t *testing.T) {
	t.Parallel()
	same := func(f float64) float64 { return f }
	require.Equal(t, turns.Ratio{Median: 2, Least: 1, Greatest: 4}, turns.Compare([]float64{4, 2, 4}, []float64{1, 2, 2}, same))
	require.Equal(t, "0.75 (0.50–1.00)", turns.Compare([]float64{1, 2}, []float64{2, 2}, same).String(), "two rounds have no favourite")
	require.InDelta(t, 3, turns.Median([]float64{9, 3, 1}, same), 1e-9)
}
