package remind

import (
	"time"
	_ "time/tzdata" // zones on a machine that has none

	"github.com/honeydue/backend/shared/date"
)

// Zone returns the time zone of an IANA name, and UTC for what is none.
func Zone(name string) *time.Location {
	if name == "Local" { // the machine's own
		return time.UTC
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

// widest is more than any zone lies from UTC.
const widest = 26 * time.Hour

// At returns the first instant, in UTC, at which the clocks of zone show that hour of day, or anything past it. An hour that comes
// twice counts when it first comes. One that the clocks pass over, or a whole day, counts when they have, so that no day is without
// its instant; that may be the next day's first.
func At(day date.Date, hour int, zone *time.Location) time.Time {
	shown := day.Time().Add(time.Duration(hour) * time.Hour) // what clocks show, written as if in UTC
	for since := shown.Add(-widest); ; {
		local := since.In(zone)
		_, offset := local.Zone()
		_, until := local.ZoneBounds()
		at := shown.Add(-time.Duration(offset) * time.Second)
		if at.Before(since) {
			at = since // the clocks jumped past it
		}
		if until.IsZero() || at.Before(until) {
			return at.UTC()
		}
		since = until
	}
}

// Slots returns the days whose instant of that hour in zone lies after one instant and not after the other, oldest first.
func Slots(hour int, zone *time.Location, after, until time.Time) []date.Date {
	var days []date.Date
	if !after.Before(until) {
		return nil
	}
	// A day that was passed over has its instant on the one behind it.
	for day := date.In(after, zone) - 1; ; day++ {
		at := At(day, hour, zone)
		if at.After(until) {
			return days
		}
		if at.After(after) {
			days = append(days, day)
		}
	}
}
