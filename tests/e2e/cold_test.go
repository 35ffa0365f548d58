//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/cluster/coldstart"
)

// TestColdStarts wakes every function three times beside an empty service. Three times are too few to hold anybody to a ratio,
// which is for the benchmark; the table is printed.
func TestColdStarts(t *testing.T) {
	const rounds = 3
	ctx, c := within(t, 12*time.Minute)
	measured, err := coldstart.Measure(ctx, c, rounds)
	require.NoError(t, err)
	_, err = measured.Print(t.Output())
	require.NoError(t, err)
}
