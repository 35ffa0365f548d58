package recur

import "github.com/honeydue/backend/shared/date"

// An Event is what ends an occurrence.
type Event string

// An occurrence was done, or passed without it being done.
const (
	Completed Event = "completed"
	Skipped   Event = "skipped"
)

// A Series is a task as far as its dates go.
type Series struct {
	Rule   *Rule      // nil for what happens once
	Anchor *date.Date // the date that people set, from which a rule counts and whose day of the month it remembers; nil if none
	Due    *date.Date // the date that is due; nil if none
}

// Next returns the date that is due once that event ended what was due, on the given day of the person's calendar. It
// returns false for a task that happens once and for a date beyond 9999-12-31. When nothing was due, the day stands for it.
//
// A rule that counts from the due date has the dates anchor, anchor + r, anchor + 2r …, or with On that day of the months of
// these. It takes the first of them after the one that was due or, when it rolls, after the day as well. Months are counted
// from the anchor: the 31st falls on the 30th in April and on the 31st again in May, 29 February on the 28th in other
// years. Without an anchor nobody chose a date to hold on to, and the series begins anew on the day, behind what was due.
//
// A rule that counts from completion begins anew on the day of completing, which may bring the date forward: done again
// soon after it was done, a task is due one rhythm from then, not two. With On it is that day of the month so many months
// on, even if that is a little sooner, or the first such day after that month. A skipped occurrence was not done, so the
// rule counts from its date; from the day if that is later, so that skipping what is long overdue does not leave it overdue.
//
// A date outside the season moves to the next season's first day, with On to its first such day; dates that move to the same
// day are one. Behind it the series goes on with its own dates: what is due on Saturdays returns to Saturdays, what is due on
// the 15th to the 15th. A date that people set stands, in season or not.
func (s Series) Next(event Event, day date.Date) (date.Date, bool) {
	if s.Rule == nil || s.Rule.Every < 1 || s.Rule.Every > MaxEvery {
		return 0, false
	}
	due := day
	if s.Due != nil {
		due = *s.Due
	}
	later := max(due, day)
	from := day
	if event == Skipped {
		from = later
	}
	var next date.Date
	switch {
	case s.Rule.From == FromCompletion:
		next = s.Rule.since(from)
	case s.Anchor == nil:
		next = s.Rule.first(from, later, later)
	case s.Rule.Missed == Roll:
		next = s.Rule.first(*s.Anchor, due, later)
	default:
		next = s.Rule.first(*s.Anchor, due, due)
	}
	return next, next <= last
}

// MaxOccurrences is how far Occurrences looks ahead.
const MaxOccurrences = 100

// Occurrences returns the date that is due and the dates that follow it, n in all and at most MaxOccurrences, if each is
// completed on its date, or today if that has passed. It is empty when nothing is due.
func (s Series) Occurrences(today date.Date, n int) []date.Date {
	n = max(0, min(n, MaxOccurrences))
	dates := make([]date.Date, 0, n)
	if s.Due == nil || n == 0 {
		return dates
	}
	dates = append(dates, *s.Due)
	for len(dates) < n {
		next, ok := s.Next(Completed, max(*s.Due, today))
		if !ok {
			break
		}
		dates = append(dates, next)
		s.Due = &next
	}
	return dates
}

// First returns the first date from d on that the rule allows: d itself, unless On or Season speak against it. It is the
// date to propose for a task that has none. It returns false for a date beyond 9999-12-31.
func (r Rule) First(d date.Date) (date.Date, bool) {
	if r.On != nil {
		d = r.On.from(d)
	}
	d = r.inSeason(d)
	return d, d <= last
}

// since returns the date that a series has next when it begins on d.
func (r *Rule) since(d date.Date) date.Date {
	m, day := monthOf(d)
	m += month(r.months())
	switch {
	case r.months() == 0:
		return r.inSeason(d.AddDays(r.days()))
	case r.On != nil:
		return r.inSeason(r.On.from(m.first()))
	default:
		return r.inSeason(m.on(day))
	}
}

// first returns the first date of the series whose own date lies after due, and which lies after the other once it has
// moved into the season.
func (r *Rule) first(anchor, due, after date.Date) date.Date {
	if r.Season == nil {
		return r.member(anchor, after)
	}
	end := r.Season.endBefore(after)
	if r.opening(end+1) > after {
		// What falls between that end and the opening moves to the opening, and may be the only date to do so.
		if moved := r.inSeason(r.member(anchor, max(due, end))); moved > after {
			return moved
		}
	}
	return r.inSeason(r.member(anchor, after))
}

// inSeason returns d or, when that is out of season, the day to which it moves.
func (r *Rule) inSeason(d date.Date) date.Date {
	if r.Season == nil || r.Season.contains(d) {
		return d
	}
	return r.opening(d)
}

// opening returns the first day that fits of the first season that does not begin before d.
func (r *Rule) opening(d date.Date) date.Date {
	start := r.Season.startFrom(d)
	if r.On == nil {
		return start
	}
	return r.On.from(start)
}
