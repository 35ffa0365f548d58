package recur

import "github.com/honeydue/backend/shared/date"

// A month is a month of the calendar, counted from January of the year 0.
type month int

// The Gregorian calendar repeats after 400 years. They are counted from the 1st of March here, which puts the leap day at the
// end of its year, and with it the months at the same days of every year.
const (
	years400     = 400
	months400    = years400 * monthsInYear
	days400      = 146097
	days100      = 36524
	days4        = 1461
	daysInYear   = 365
	toMarch      = 2      // months from January
	marchToEpoch = 719468 // days from 1 March of the year 0 to 1970-01-01
)

// marchDays returns how many days lie before a month of a year that begins in March: 31, 30, 31, 30, 31 and again.
func marchDays(month int) int { return (month*153 + 2) / 5 }

// monthOf returns the month of d and the day that d is of it. d lies in the years from -400 on.
func monthOf(d date.Date) (m month, day int) {
	n := int(d) + marchToEpoch + days400
	cycles, n := n/days400, n%days400
	year := (n - n/(days4-1) + n/days100 - n/(days400-1)) / daysInYear
	n -= year*daysInYear + year/4 - year/100
	of := (n*5 + 2) / 153
	return month((cycles-1)*months400 + year*monthsInYear + of + toMarch), n - marchDays(of) + 1
}

func yearOf(d date.Date) int {
	m, _ := monthOf(d)
	return int(m) / monthsInYear
}

// first returns the first day of m, which lies in the years from -400 on.
func (m month) first() date.Date {
	n := int(m) - toMarch + months400
	year, of := n/monthsInYear, n%monthsInYear
	days := year*daysInYear + year/4 - year/100 + year/years400 + marchDays(of)
	return date.Date(0).AddDays(days - days400 - marchToEpoch)
}

func (m month) last() date.Date { return (m + 1).first() - 1 }

// on returns that day of m, or the last one if m is shorter.
func (m month) on(day int) date.Date {
	const always = 28
	d := m.first().AddDays(day - 1)
	if day <= always {
		return d
	}
	return min(d, m.last())
}

// index returns the place of w in a week that begins on Monday, or -1 for none.
func (w Weekday) index() int {
	switch w {
	case Monday:
		return 0
	case Tuesday:
		return 1
	case Wednesday:
		return 2
	case Thursday:
		return 3
	case Friday:
		return 4
	case Saturday:
		return 5
	case Sunday:
		return 6
	}
	return -1
}

// onOrAfter returns the first such weekday that is not before d.
func (w Weekday) onOrAfter(d date.Date) date.Date {
	const thursday = 3 // 1970-01-01, from which dates are counted
	ahead := (w.index() - thursday - int(d)) % daysInWeek
	if ahead < 0 {
		ahead += daysInWeek
	}
	return d.AddDays(ahead)
}

// in returns the day of m that o names, and false if m has none.
func (o *On) in(m month) (date.Date, bool) {
	switch {
	case o.LastDay:
		return m.last(), true
	case o.Nth == LastNth:
		return o.Weekday.onOrAfter(m.last() - daysInWeek + 1), true
	default:
		const always = 4
		d := o.Weekday.onOrAfter(m.first()).AddDays((o.Nth - 1) * daysInWeek)
		return d, o.Nth <= always || d <= m.last()
	}
}

// from returns the first day that o names and that is not before d. The longest wait is for a fifth weekday.
func (o *On) from(d date.Date) date.Date {
	m, _ := monthOf(d)
	for range monthsInYear {
		if found, ok := o.in(m); ok && found >= d {
			return found
		}
		m++
	}
	return beyond
}
