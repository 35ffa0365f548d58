package broker

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// ParseDuration reads an ISO 8601 duration as delivery specs write it: PT1S, PT0.2S, P1DT12H. Years and
// months have no fixed length and are refused, as are signs and anything longer than a time.Duration holds.
func ParseDuration(s string) (time.Duration, error) {
	refused := fmt.Errorf("%q is no ISO 8601 duration such as PT1S", s)
	period, ok := strings.CutPrefix(s, "P")
	if !ok {
		return 0, refused
	}
	date, clock, timed := strings.Cut(period, "T")
	if timed && clock == "" || period == "" {
		return 0, refused
	}
	var total time.Duration
	for _, unit := range []struct {
		part   *string
		symbol string
		goUnit string
		times  time.Duration
	}{
		{&date, "W", "h", 7 * 24},
		{&date, "D", "h", 24},
		{&clock, "H", "h", 1},
		{&clock, "M", "m", 1},
		{&clock, "S", "s", 1},
	} {
		number, rest, found := strings.Cut(*unit.part, unit.symbol)
		if !found {
			continue
		}
		*unit.part = rest
		if strings.Trim(number, "0123456789.") != "" {
			return 0, refused
		}
		d, err := time.ParseDuration(number + unit.goUnit)
		if err != nil || d > (math.MaxInt64-total)/unit.times {
			return 0, refused
		}
		total += d * unit.times //nolint:durationcheck // times is a number
	}
	if date != "" || clock != "" {
		return 0, refused
	}
	return total, nil
}
