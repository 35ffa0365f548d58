package coldstart

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOrder(t *testing.T) {
	t.Parallel()
	const n = 8
	first := map[int]bool{}
	for round := range 2 * n {
		seen := map[int]bool{}
		for i := range n {
			seen[order(round, i, n)] = true
		}
		require.Len(t, seen, n, "each once a round")
		first[order(round, 0, n)] = true
	}
	require.Greater(t, len(first), n/2-1, "not always the same first")
}

func TestTable(t *testing.T) {
	t.Parallel()
	m := &Measurements{sleepers()}
	for i, s := range m.sleepers {
		for _, ms := range []int{1000 + i, 1010 + i, 900 + i} {
			s.took = append(s.took, time.Duration(ms)*time.Millisecond)
		}
	}
	var out strings.Builder
	met, err := m.Print(&out)
	require.NoError(t, err)
	require.True(t, met)
	require.Contains(t, out.String(), "1001 ms  1011 ms")

	m.sleepers[1].took[1] *= 2
	m.sleepers[1].took[0] *= 2
	out.Reset()
	met, err = m.Print(&out)
	require.NoError(t, err)
	require.False(t, met)
	require.Equal(t, 1, strings.Count(out.String(), "MISSED"))
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	var sorted []time.Duration
	for i := range 20 {
		sorted = append(sorted, time.Duration(i+1))
	}
	require.Equal(t, time.Duration(10), percentile(sorted, 50))
	require.Equal(t, time.Duration(19), percentile(sorted, 95))
	require.Equal(t, time.Duration(2), percentile(sorted[:3], 50))
	require.Equal(t, time.Duration(3), percentile(sorted[:3], 95))
}
