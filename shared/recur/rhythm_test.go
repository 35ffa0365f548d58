package recur_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/recur"
)

func parse(t *testing.T, text string) date.Date {
	t.Helper()
	d, err := date.Parse(text)
	require.NoError(t, err)
	return d
}

func TestNext(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		every                int
		unit                 recur.Unit
		anchor, after, wants string
	}{
		"day":                               {1, recur.Day, "2026-03-01", "2026-03-01", "2026-03-02"},
		"before the series":                 {1, recur.Month, "2026-03-31", "2026-01-15", "2026-03-31"},
		"week":                              {1, recur.Week, "2026-03-01", "2026-03-08", "2026-03-15"},
		"two weeks, missed long ago":        {2, recur.Week, "2026-01-05", "2026-11-21", "2026-11-23"},
		"two weeks across a new year":       {2, recur.Week, "2025-12-22", "2025-12-22", "2026-01-05"},
		"31st into February":                {1, recur.Month, "2026-01-31", "2026-01-31", "2026-02-28"},
		"31st back from February":           {1, recur.Month, "2026-01-31", "2026-02-28", "2026-03-31"},
		"31st into April":                   {1, recur.Month, "2026-01-31", "2026-03-31", "2026-04-30"},
		"30th through a leap February":      {1, recur.Month, "2027-12-30", "2028-01-30", "2028-02-29"},
		"quarter":                           {3, recur.Month, "2025-11-30", "2025-11-30", "2026-02-28"},
		"half a year, inside the month":     {6, recur.Month, "2026-03-15", "2026-09-14", "2026-09-15"},
		"half a year, on the day":           {6, recur.Month, "2026-03-15", "2026-09-15", "2027-03-15"},
		"29 February in a common year":      {1, recur.Year, "2024-02-29", "2024-02-29", "2025-02-28"},
		"29 February in the next leap year": {1, recur.Year, "2024-02-29", "2027-02-28", "2028-02-29"},
		"29 February in 2100":               {1, recur.Year, "2024-02-29", "2099-03-01", "2100-02-28"},
		"eight thousand years late":         {1, recur.Day, "1000-01-01", "9000-01-01", "9000-01-02"},
	} {
		next, ok := recur.Rhythm{Every: c.every, Unit: c.unit}.Next(parse(t, c.anchor), parse(t, c.after))
		require.True(t, ok, name)
		require.Equal(t, c.wants, next.String(), name)
	}
}

func TestTheCalendarEnds(t *testing.T) {
	t.Parallel()
	for _, unit := range []recur.Unit{recur.Day, recur.Week, recur.Month, recur.Year} {
		_, ok := recur.Rhythm{Every: 1, Unit: unit}.Next(parse(t, "9999-12-31"), parse(t, "9999-12-31"))
		require.False(t, ok, unit)
	}
}

// TestNextIsTheFirstOfTheSeries walks the series step by step, which the package must not do.
func TestNextIsTheFirstOfTheSeries(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		anchor := date.Of(rapid.IntRange(1890, 2110).Draw(t, "year"), time.January, rapid.IntRange(1, 366).Draw(t, "day"))
		after := anchor.AddDays(rapid.IntRange(-500, 9000).Draw(t, "days"))
		rhythm := recur.Rhythm{
			Every: rapid.IntRange(1, 14).Draw(t, "every"),
			Unit:  rapid.SampledFrom([]recur.Unit{recur.Day, recur.Week, recur.Month, recur.Year}).Draw(t, "unit"),
		}
		wants := anchor
		for k := 1; wants <= after; k++ {
			wants = member(anchor, rhythm, k)
		}
		next, ok := rhythm.Next(anchor, after)
		require.True(t, ok)
		require.Equal(t, wants.String(), next.String())
	})
}

// member is the kth date of a series, by counting down from the day that the anchor has.
func member(anchor date.Date, r recur.Rhythm, k int) date.Date {
	t := anchor.Time()
	switch r.Unit {
	case recur.Day:
		return date.Of(t.Year(), t.Month(), t.Day()+k*r.Every)
	case recur.Week:
		return date.Of(t.Year(), t.Month(), t.Day()+7*k*r.Every)
	case recur.Year:
		return clamp(t.Year()+k*r.Every, t.Month(), t.Day())
	default:
		return clamp(t.Year(), t.Month()+time.Month(k*r.Every), t.Day())
	}
}

func clamp(year int, month time.Month, day int) date.Date {
	first := date.Of(year, month, 1).Time()
	for {
		if d := date.Of(year, month, day); d.Time().Month() == first.Month() {
			return d
		}
		day--
	}
}
