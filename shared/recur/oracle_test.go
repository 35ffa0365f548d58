package recur_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/teambition/rrule-go"
	"pgregory.net/rapid"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/recur"
)

// TestRFC5545 asks a library of recurrence rules wherever these mean the same: counted from a due date, without a season.
// A day that months lack is there the last of several days, since the RFC itself passes over a month without a 31st.
func TestRFC5545(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		d.Rule.From, d.Rule.Season = recur.FromDueDate, nil
		oracle, err := rrule.NewRRule(option(*d.Rule, *d.Anchor))
		require.NoError(t, err)
		after := *d.Due
		if d.Rule.Missed == recur.Roll {
			after = max(*d.Due, d.Day)
		}
		want := oracle.After(after.Time(), false)
		next, ok := d.Next(d.Event, d.Day)
		if want.IsZero() {
			// The library gives up after some years without a date.
			require.True(t, neverComes(*d.Rule))
			return
		}
		require.Equal(t, want.Format("2006-01-02"), answer(next, ok))
	})
}

func option(r recur.Rule, anchor date.Date) rrule.ROption {
	start := anchor.Time()
	o := rrule.ROption{Dtstart: start, Interval: r.Every}
	switch r.Unit {
	case recur.Day:
		o.Freq = rrule.DAILY
		return o
	case recur.Week:
		o.Freq = rrule.WEEKLY
		return o
	case recur.Month:
		o.Freq = rrule.MONTHLY
	case recur.Year:
		o.Freq, o.Bymonth = rrule.YEARLY, []int{int(start.Month())}
	}
	switch {
	case r.On == nil:
		for day := min(start.Day(), 28); day <= start.Day(); day++ {
			o.Bymonthday = append(o.Bymonthday, day)
		}
		o.Bysetpos = []int{-1}
	case r.On.LastDay:
		o.Bymonthday = []int{-1}
	default:
		weekday := map[recur.Weekday]rrule.Weekday{
			recur.Monday: rrule.MO, recur.Tuesday: rrule.TU, recur.Wednesday: rrule.WE, recur.Thursday: rrule.TH,
			recur.Friday: rrule.FR, recur.Saturday: rrule.SA, recur.Sunday: rrule.SU,
		}[r.On.Weekday]
		o.Byweekday = []rrule.Weekday{weekday.Nth(r.On.Nth)}
	}
	return o
}
