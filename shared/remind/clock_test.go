package remind_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/remind"
)

// zones lie far from UTC, or by parts of an hour, or move their clocks over midnight or by half an hour.
func zones() []string {
	return []string{
		"UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati", "Australia/Lord_Howe", "America/New_York", "Europe/Berlin",
		"Pacific/Pago_Pago", "America/Nuuk", "America/Havana", "Africa/Cairo", "Pacific/Chatham", "Africa/Casablanca",
	}
}

type hourOf struct {
	day  date.Date
	hour int
}

// scan looks at the clocks of zone every minute and notes when they first showed each hour of each day, or anything past it.
func scan(zone *time.Location, from, to time.Time) map[hourOf]time.Time {
	found := map[hourOf]time.Time{}
	next := hourOf{date.In(from, zone) + 1, 0}
	for now := from; now.Before(to); now = now.Add(time.Minute) {
		local := now.In(zone)
		shown := hourOf{date.Of(local.Year(), local.Month(), local.Day()), local.Hour()}
		for next.day < shown.day || next.day == shown.day && next.hour <= shown.hour {
			found[next] = now
			if next.hour++; next.hour == 24 {
				next = hourOf{next.day + 1, 0}
			}
		}
	}
	return found
}

func TestAtIsWhatAScanOfEveryMinuteFinds(t *testing.T) {
	t.Parallel()
	check := func(name string, from, to time.Time) {
		zone := remind.Zone(name)
		found := scan(zone, from, to)
		require.Greater(t, len(found), int(to.Sub(from).Hours())-100)
		for h, at := range found {
			require.Equal(t, at, remind.At(h.day, h.hour, zone), "%s %s %02d", name, h.day, h.hour)
		}
	}
	for _, name := range zones() {
		check(name, time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, time.January, 1, 0, 0, 0, 0, time.UTC))
	}
	// A day that never was, clocks that went back over midnight a minute past it, and over it exactly.
	check("Pacific/Apia", time.Date(2011, time.December, 20, 0, 0, 0, 0, time.UTC), time.Date(2012, time.January, 10, 0, 0, 0, 0, time.UTC))
	check("America/St_Johns", time.Date(2009, time.March, 1, 0, 0, 0, 0, time.UTC), time.Date(2009, time.December, 1, 0, 0, 0, 0, time.UTC))
	check("America/Sao_Paulo", time.Date(2018, time.January, 1, 0, 0, 0, 0, time.UTC), time.Date(2019, time.January, 1, 0, 0, 0, 0, time.UTC))
}

func TestAt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone, day string
		hour      int
		want      string
	}{
		{"UTC", "2026-01-01", 0, "2026-01-01T00:00:00Z"},
		{"Asia/Kathmandu", "2026-01-01", 9, "2026-01-01T03:15:00Z"},
		{"Europe/Berlin", "2026-03-29", 2, "2026-03-29T01:00:00Z"},       // 02:00 does not come; 03:00 comes in its place
		{"Europe/Berlin", "2026-10-25", 2, "2026-10-25T00:00:00Z"},       // comes twice
		{"Europe/Berlin", "2026-10-25", 3, "2026-10-25T02:00:00Z"},       //
		{"America/Nuuk", "2026-03-28", 23, "2026-03-29T01:00:00Z"},       // from 23:00 to the next day's 00:00
		{"Pacific/Apia", "2011-12-30", 9, "2011-12-30T10:00:00Z"},        // there was no such day
		{"Pacific/Apia", "2011-12-31", 9, "2011-12-30T19:00:00Z"},        //
		{"Australia/Lord_Howe", "2026-04-05", 2, "2026-04-04T15:30:00Z"}, // half an hour back at 02:00, to 01:30
		{"Australia/Lord_Howe", "2026-10-04", 2, "2026-10-03T15:30:00Z"}, // half an hour on at 02:00, to 02:30
	} {
		day, err := date.Parse(c.day)
		require.NoError(t, err)
		require.Equal(t, c.want, remind.At(day, c.hour, remind.Zone(c.zone)).Format(time.RFC3339), "%+v", c)
	}
}

// TestSlotsOfWindowsThatMeet: windows cut at random hold every day once, those of a skipped and of a doubled hour too.
func TestSlotsOfWindowsThatMeet(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, name := range append(zones(), "Pacific/Apia") {
		zone, hour := remind.Zone(name), r.IntN(24)
		from, to := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, time.January, 1, 0, 0, 0, 0, time.UTC)
		if name == "Pacific/Apia" {
			from, to = from.AddDate(-15, 0, 0), to.AddDate(-15, 1, 0)
		}
		var days []date.Date
		for after := from; after.Before(to); {
			until := after.Add(time.Duration(r.IntN(40*60)) * time.Minute)
			days = append(days, remind.Slots(hour, zone, after, until)...)
			after = until
		}
		require.Greater(t, len(days), 364, name)
		for i, day := range days {
			require.Equal(t, days[0].AddDays(i), day, "%s at %d", name, hour)
		}
	}
	noon := time.Date(2026, time.January, 1, 12, 0, 0, 0, time.UTC)
	require.Empty(t, remind.Slots(12, time.UTC, noon, noon.Add(time.Hour)), "the window begins behind its first instant")
	require.Equal(t, []date.Date{date.Of(2026, time.January, 1)}, remind.Slots(12, time.UTC, noon.Add(-time.Minute), noon))
	require.Empty(t, remind.Slots(12, time.UTC, noon, noon.Add(-48*time.Hour)))
}

func TestZone(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "UTC", "Local", "Mars/Olympus", "../etc/passwd"} {
		require.Equal(t, time.UTC, remind.Zone(name), name)
	}
	require.Equal(t, "Asia/Kathmandu", remind.Zone("Asia/Kathmandu").String())
}
