package broker_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/broker"
)

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"PT1S":          time.Second,
		"PT0.2S":        200 * time.Millisecond,
		"PT60S":         time.Minute,
		"PT5M":          5 * time.Minute,
		"PT1H30M":       90 * time.Minute,
		"PT0.5H":        30 * time.Minute,
		"P1D":           24 * time.Hour,
		"P2W":           14 * 24 * time.Hour,
		"P1DT2H3M4.5S":  26*time.Hour + 3*time.Minute + 4500*time.Millisecond,
		"PT0S":          0,
		"P106751D":      106751 * 24 * time.Hour,
		"PT2562047H47M": 2562047*time.Hour + 47*time.Minute,
	} {
		got, err := broker.ParseDuration(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{
		"", "P", "PT", "P1DT", "1S", "PT1", "P1S", "PT1D", "P1Y", "P1M", "-PT1S", "PT-1S", "PT+1S", "pt1s", "PT1s",
		"PT1S1M", "PT1M1H", "P1DT1S ", " PT1S", "PT1,5S", "PT1..5S", "PT.S", "PT1e3S", "PTInfS", "PT0x1S", "P1D2W",
		"P106752D", "PT9999999999999H", "PT2562047H48M", "1s", "PTT1S", "PP1D",
	} {
		_, err := broker.ParseDuration(text)
		require.Error(t, err, text)
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, seed := range []string{"PT1S", "P1DT2H3M4.5S", "P2W", "PT", "P106752D", "-PT1S"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := broker.ParseDuration(text)
		if err != nil {
			require.Zero(t, d)
			return
		}
		require.GreaterOrEqual(t, d, time.Duration(0))
		require.LessOrEqual(t, d, time.Duration(math.MaxInt64))
		require.Equal(t, byte('P'), text[0])
	})
}
