package recur_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/recur"
)

// A walker answers what the package answers, by trying one day after the other and asking of each whether it fits.
type walker struct{ recur.Rule }

// none is what a walker finds when it has walked to the end of the calendar.
const none = date.Date(1 << 30)

func walk(s recur.Series, event recur.Event, day date.Date) (date.Date, bool) {
	if s.Rule == nil {
		return 0, false
	}
	w := walker{s.Rule.WithDefaults()}
	due, later := day, day
	if s.Due != nil {
		due, later = *s.Due, max(*s.Due, day)
	}
	start := day
	if event == recur.Skipped {
		start = later
	}
	var found date.Date
	switch {
	case w.From == recur.FromCompletion:
		found = w.season(walkFrom(start+1, func(d date.Date) bool { return w.follows(start, d) }))
	case s.Anchor == nil:
		found = w.behind(start, later, later)
	case w.Missed == recur.Roll:
		found = w.behind(*s.Anchor, due, later)
	default:
		found = w.behind(*s.Anchor, due, due)
	}
	return found, found != none
}

func walkFrom(d date.Date, fits func(date.Date) bool) date.Date {
	end := date.Of(9999, time.December, 31)
	for ; d <= end; d++ {
		if fits(d) {
			return d
		}
	}
	return none
}

// behind takes every date of the series after due, moves it into the season, and stops at the first that lies after.
func (w walker) behind(anchor, due, after date.Date) date.Date {
	moved := none
	walkFrom(due+1, func(d date.Date) bool {
		if !w.belongs(anchor, d) {
			return false
		}
		moved = w.season(d)
		return moved > after
	})
	if moved <= after {
		return none
	}
	return moved
}

// belongs returns whether d is a date of the series.
func (w walker) belongs(anchor, d date.Date) bool {
	switch {
	case d < anchor:
		return false
	case w.Unit == recur.Day:
		return int(d-anchor)%w.Every == 0
	case w.Unit == recur.Week:
		return int(d-anchor)%(7*w.Every) == 0
	default:
		return w.apart(anchor, d)%w.every() == 0 && w.day(anchor, d)
	}
}

// follows returns whether d is a rhythm after the day on which a thing was done.
func (w walker) follows(done, d date.Date) bool {
	switch {
	case w.Unit == recur.Day:
		return done.AddDays(w.Every) == d
	case w.Unit == recur.Week:
		return done.AddDays(7*w.Every) == d
	case w.On != nil:
		return w.apart(done, d) >= w.every() && w.day(done, d)
	default:
		return w.apart(done, d) == w.every() && w.day(done, d)
	}
}

func (w walker) every() int {
	if w.Unit == recur.Year {
		return 12 * w.Every
	}
	return w.Every
}

// apart returns how many new months begin between two days.
func (walker) apart(from, to date.Date) int {
	a, b := from.Time(), to.Time()
	return 12*(b.Year()-a.Year()) + int(b.Month()) - int(a.Month())
}

// day returns whether d is the right day of its month.
func (w walker) day(anchor, d date.Date) bool {
	today, tomorrow := d.Time(), d.AddDays(1).Time()
	isLast := tomorrow.Day() == 1
	switch {
	case w.On == nil:
		wanted := anchor.Time().Day()
		return today.Day() == wanted || isLast && today.Day() < wanted
	case w.On.LastDay:
		return isLast
	case !strings.EqualFold(today.Weekday().String(), string(w.On.Weekday)):
		return false
	case w.On.Nth == recur.LastNth:
		return d.AddDays(7).Time().Month() != today.Month()
	default:
		return today.Day() > 7*(w.On.Nth-1) && today.Day() <= 7*w.On.Nth
	}
}

func (w walker) season(d date.Date) date.Date {
	if d == none || w.inside(d) {
		return d
	}
	return walkFrom(d, func(d date.Date) bool { return w.inside(d) && (w.On == nil || w.day(d, d)) })
}

// inside compares days of the year as they are written.
func (w walker) inside(d date.Date) bool {
	if w.Season == nil {
		return true
	}
	year := d.Time().Year()
	written := func(m recur.MonthDay) string {
		text := fmt.Sprintf("%02d-%02d", int(m.Month), m.Day)
		if text == "02-29" && (year%4 != 0 || year%100 == 0 && year%400 != 0) {
			return "02-28"
		}
		return text
	}
	from, to, today := written(w.Season.From), written(w.Season.To), d.String()[len("2006-"):]
	if wraps := 100*int(w.Season.To.Month)+w.Season.To.Day < 100*int(w.Season.From.Month)+w.Season.From.Day; wraps {
		return from <= today || today <= to
	}
	return from <= today && today <= to
}
