package recur

import "github.com/honeydue/backend/shared/date"

// A Rhythm is every Every units, at least one: the plainest of rules.
type Rhythm struct {
	Every int
	Unit  Unit
}

// Next returns the first date of the series anchor, anchor + r, anchor + 2r … that lies after the given one, as
// Series.Next does. It returns false when that date lies beyond 9999.
func (r Rhythm) Next(anchor, after date.Date) (date.Date, bool) {
	rule := Rule{Every: r.Every, Unit: r.Unit}
	next := rule.member(anchor, after)
	return next, next <= last
}
