package recur

import (
	"errors"
	"time"

	"github.com/honeydue/backend/shared/date"
)

// A Season is a part of every year, its two bounds included. It wraps the year when To comes before From, as a winter does
// in the north and a summer in the south. A bound on 29 February falls on the 28th in other years, as every date here does.
type Season struct {
	From MonthDay `json:"from" pattern:"^[0-9]{2}-[0-9]{2}$" doc:"First day, MM-DD" example:"04-01"`
	To   MonthDay `json:"to" pattern:"^[0-9]{2}-[0-9]{2}$" doc:"Last day, MM-DD; before from if the season wraps the year" example:"10-31"`
}

// A MonthDay is a day of any year, written MM-DD.
type MonthDay struct {
	Month time.Month
	Day   int
}

// MarshalText writes MM-DD.
func (d MonthDay) MarshalText() ([]byte, error) {
	const ten = 10
	if d.Month < 0 || d.Month >= ten*ten || d.Day < 0 || d.Day >= ten*ten {
		return nil, errors.New("not a day that MM-DD can write")
	}
	digit := func(n int) byte { return "0123456789"[n%ten] }
	month := int(d.Month)
	return []byte{digit(month / ten), digit(month), '-', digit(d.Day / ten), digit(d.Day)}, nil
}

// UnmarshalText reads MM-DD. Whether there is such a day is for Rule.Validate to say, which knows the name of the field.
func (d *MonthDay) UnmarshalText(text []byte) error {
	if len(text) != len("MM-DD") || text[2] != '-' {
		return errMonthDay
	}
	month, day := digits(text[0], text[1]), digits(text[3], text[4])
	if month < 0 || day < 0 {
		return errMonthDay
	}
	d.Month, d.Day = time.Month(month), day
	return nil
}

var errMonthDay = errors.New("not a day written MM-DD")

// digits returns the number that two digits write, or -1.
func digits(tens, ones byte) int {
	const ten = 10
	if tens < '0' || tens > '9' || ones < '0' || ones > '9' {
		return -1
	}
	return int(tens-'0')*ten + int(ones-'0')
}

// exists returns whether some year has that day.
func (d MonthDay) exists() bool {
	const leap = 2000
	return d.Month >= time.January && d.Month <= time.December && d.Day >= 1 &&
		d.Day <= int(date.Of(leap, d.Month+1, 1)-date.Of(leap, d.Month, 1))
}

// in returns that day of a year, or the 28th for 29 February in a year that has none.
func (d MonthDay) in(year int) date.Date {
	return month(year*monthsInYear + int(d.Month-time.January)).on(d.Day)
}

// wraps looks at the bounds as they are written: in a common year 29 and 28 February are one day.
func (s *Season) wraps() bool {
	return s.To.Month < s.From.Month || s.To.Month == s.From.Month && s.To.Day < s.From.Day
}

func (s *Season) contains(d date.Date) bool {
	year := yearOf(d)
	begun, over := d >= s.From.in(year), d > s.To.in(year)
	if s.wraps() {
		return begun || !over
	}
	return begun && !over
}

// startFrom returns the first day of the first season that does not begin before d.
func (s *Season) startFrom(d date.Date) date.Date {
	year := yearOf(d)
	if start := s.From.in(year); start >= d {
		return start
	}
	return s.From.in(year + 1)
}

// endBefore returns the last day of the season that was the latest to end before d.
func (s *Season) endBefore(d date.Date) date.Date {
	year := yearOf(d)
	if end := s.To.in(year); end < d {
		return end
	}
	return s.To.in(year - 1)
}
