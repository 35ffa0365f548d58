package recur

import "github.com/honeydue/backend/shared/date"

// days returns how many days lie between two dates of a rule that counts in days or weeks, and 0 for others.
func (r *Rule) days() int {
	switch r.Unit {
	case Day:
		return r.Every
	case Week:
		return r.Every * daysInWeek
	default:
		return 0
	}
}

// months returns how many months lie between two dates of a rule that counts in months or years, and 0 for others.
func (r *Rule) months() int {
	switch r.Unit {
	case Month:
		return r.Every
	case Year:
		return r.Every * monthsInYear
	default:
		return 0
	}
}

// member returns the first date of the series of that anchor that lies after the given one, whatever the season.
func (r *Rule) member(anchor, after date.Date) date.Date {
	after = max(after, anchor-1)
	switch {
	case r.months() > 0:
		return r.memberByMonth(anchor, after)
	case after < anchor:
		return anchor
	case r.days() > 0:
		passed := int(after-anchor) / r.days()
		return anchor.AddDays((passed + 1) * r.days())
	default:
		return beyond
	}
}

// cycle is more steps than any rule takes to the next month that has its day, if there is one: the calendar repeats after
// 400 years, and a rule of more than 20 years is at its end sooner.
const cycle = 400

// memberByMonth begins with the last month of the series that has begun by after. The month behind it has the date, unless
// that date is a fifth weekday.
func (r *Rule) memberByMonth(anchor, after date.Date) date.Date {
	start, day := monthOf(anchor)
	now, _ := monthOf(after)
	m := start + month(max(0, int(now-start))/r.months()*r.months())
	for range cycle + 1 {
		d, ok := m.on(day), true
		if r.On != nil {
			d, ok = r.On.in(m)
		}
		if ok && d > after {
			return d
		}
		if d > last {
			break
		}
		m += month(r.months())
	}
	return beyond
}
