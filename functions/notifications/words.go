package main

import (
	"time"
	_ "time/tzdata" // zones on a machine that has none

	"github.com/honeydue/backend/shared/date"
)

// day writes a date as people say it.
func day(d *date.Date) string {
	if d == nil {
		return ""
	}
	return d.Time().Format("Monday, 2 January 2006")
}

// instant writes t in the person's zone, or in UTC when that is not known.
func instant(t time.Time, zone string) string {
	return t.In(zoneOf(zone)).Format("2 January 2006 at 15:04 MST")
}

// zoneOf returns the time zone of a name, and UTC for one that is not known.
func zoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

// today returns the date that it is at now in the zone of that name.
func today(now time.Time, zone string) date.Date { return date.In(now, zoneOf(zone)) }
