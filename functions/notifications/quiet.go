package main

import (
	"errors"
	"time"
)

// A clock is a time of day, in minutes after midnight.
type clock int

// Scan reads HH:MM from the database.
func (c *clock) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		return errors.New("a time of day that is no text")
	}
	at, err := time.Parse("15:04", text)
	if err != nil {
		return errors.New("a time of day that is not HH:MM")
	}
	*c = clock(at.Hour()*60 + at.Minute())
	return nil
}

// quietUntil returns when a person's quiet hours end that now lies in; the zero time when it lies in none. Hours that begin when
// they end are none; those that end before they begin last over midnight.
func quietUntil(now time.Time, zone *time.Location, from, to *clock) time.Time {
	if from == nil || to == nil || *from == *to {
		return time.Time{}
	}
	local := now.In(zone)
	minute := clock(local.Hour()*60 + local.Minute())
	ends := 0 // days from today
	switch {
	case *from < *to && (minute < *from || minute >= *to), *from > *to && minute >= *to && minute < *from:
		return time.Time{}
	case minute >= *to:
		ends = 1
	}
	year, month, day := local.Date()
	// Minutes past midnight, not hours since: a clock that is put forward or back still shows to.
	until := time.Date(year, month, day+ends, int(*to)/60, int(*to)%60, 0, 0, zone)
	if !until.After(now) { // the clock was put back over it
		return now.Add(time.Minute)
	}
	return until
}
