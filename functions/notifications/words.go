package main

import (
	"time"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/remind"
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
	return t.In(remind.Zone(zone)).Format("2 January 2006 at 15:04 MST")
}

// today returns the date that it is at now in the zone of that name.
func today(now time.Time, zone string) date.Date { return date.In(now, remind.Zone(zone)) }
