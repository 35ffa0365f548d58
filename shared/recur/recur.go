// Package recur says when what recurs is due next. It is arithmetic over calendar dates: nothing here knows a clock,
// and every answer takes the same time however far its dates lie apart.
package recur

import (
	"time"

	"github.com/honeydue/backend/shared/date"
)

// A Unit is what a rhythm counts.
type Unit string

// The units of rhythms.
const (
	Day   Unit = "day"
	Week  Unit = "week"
	Month Unit = "month"
	Year  Unit = "year"
)

const (
	daysInWeek   = 7
	monthsInYear = 12
)

// last is the end of the calendar that PostgreSQL and the wire share.
var last = date.Of(9999, time.December, 31)

// A Rhythm is every Every units, at least one.
type Rhythm struct {
	Every int
	Unit  Unit
}

// Next returns the first date of the series anchor, anchor + r, anchor + 2r … that lies after the given one. Months are
// counted from the anchor, and a day that a month lacks is that month's last: the 31st falls on the 30th in April and
// on the 31st again in May, 29 February on the 28th in other years. It returns false when that date lies beyond 9999.
func (r Rhythm) Next(anchor, after date.Date) (date.Date, bool) {
	next := anchor
	if after >= anchor {
		switch r.Unit {
		case Day:
			next = nextDay(anchor, after, r.Every)
		case Week:
			next = nextDay(anchor, after, r.Every*daysInWeek)
		case Month:
			next = nextMonth(anchor, after, r.Every)
		case Year:
			next = nextMonth(anchor, after, r.Every*monthsInYear)
		}
	}
	return next, next <= last
}

func nextDay(anchor, after date.Date, every int) date.Date {
	passed := int(after-anchor) / every
	return anchor.AddDays((passed + 1) * every)
}

// nextMonth looks at two members of the series: the last one whose month has begun by after, and the one behind it.
func nextMonth(anchor, after date.Date, every int) date.Date {
	from, to := anchor.Time(), after.Time()
	months := (to.Year()-from.Year())*monthsInYear + int(to.Month()) - int(from.Month())
	begun := months / every * every
	if candidate := addMonths(from, begun); candidate > after {
		return candidate
	}
	return addMonths(from, begun+every)
}

// addMonths returns the day of from in the month that lies so many after it, or that month's last day.
func addMonths(from time.Time, months int) date.Date {
	first := time.Date(from.Year(), from.Month()+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	lastDay := first.AddDate(0, 1, -1).Day()
	return date.Of(first.Year(), first.Month(), min(from.Day(), lastDay))
}
