package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestQuietHours(t *testing.T) {
	t.Parallel()
	at := func(text string) *clock {
		c := new(clock)
		require.NoError(t, c.Scan(text))
		return c
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	cases := map[string]struct {
		now      string // in Berlin
		from, to *clock
		until    string // empty: not quiet
	}{
		"none":                      {"2026-04-01 03:00", nil, nil, ""},
		"no time at all":            {"2026-04-01 03:00", at("03:00"), at("03:00"), ""},
		"by day":                    {"2026-04-01 13:59", at("12:00"), at("14:00"), "2026-04-01 14:00"},
		"by day, at its beginning":  {"2026-04-01 12:00", at("12:00"), at("14:00"), "2026-04-01 14:00"},
		"by day, at its end":        {"2026-04-01 14:00", at("12:00"), at("14:00"), ""},
		"by day, before":            {"2026-04-01 11:59", at("12:00"), at("14:00"), ""},
		"by night, in the evening":  {"2026-04-01 22:00", at("22:00"), at("07:30"), "2026-04-02 07:30"},
		"by night, in the morning":  {"2026-04-02 07:29", at("22:00"), at("07:30"), "2026-04-02 07:30"},
		"by night, at its end":      {"2026-04-02 07:30", at("22:00"), at("07:30"), ""},
		"by night, at noon":         {"2026-04-02 12:00", at("22:00"), at("07:30"), ""},
		"clock put forward over it": {"2026-03-29 01:30", at("22:00"), at("07:00"), "2026-03-29 07:00"},
		"clock put back over it":    {"2026-10-25 01:30", at("22:00"), at("07:00"), "2026-10-25 07:00"},
		"until an hour left out":    {"2026-03-29 01:30", at("22:00"), at("02:30"), "2026-03-29 03:30"},
	}
	for name, c := range cases {
		now, err := time.ParseInLocation("2006-01-02 15:04", c.now, berlin)
		require.NoError(t, err)
		got := quietUntil(now.UTC(), berlin, c.from, c.to)
		if c.until == "" {
			require.True(t, got.IsZero(), name)
			continue
		}
		require.Equal(t, c.until, got.In(berlin).Format("2006-01-02 15:04"), name)
		require.True(t, quietUntil(got, berlin, c.from, c.to).IsZero(), name)
	}
	require.Error(t, new(clock).Scan("7pm"))
	require.Error(t, new(clock).Scan(7))
}

// TestQuietHoursEnd walks through both nights that the clock changes in, minute by minute: whoever is quiet hears of it in the end.
func TestQuietHoursEnd(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	for _, evening := range []time.Time{time.Date(2026, 3, 28, 20, 0, 0, 0, berlin), time.Date(2026, 10, 24, 20, 0, 0, 0, berlin)} {
		for _, to := range []clock{1 * 60, 2*60 + 30, 3 * 60} {
			from := clock(22 * 60)
			for minute := range 14 * 60 {
				now := evening.Add(time.Duration(minute) * time.Minute)
				for range 100 {
					until := quietUntil(now, berlin, &from, &to)
					if until.IsZero() {
						break
					}
					require.True(t, until.After(now))
					now = until
				}
				require.True(t, quietUntil(now, berlin, &from, &to).IsZero())
				require.Less(t, now.Sub(evening), 24*time.Hour)
			}
		}
	}
}
