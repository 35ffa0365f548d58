package recur_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/recur"
)

// A kind is a rule and what to call it.
type kind struct {
	name string
	rule recur.Rule
}

// kinds are rules that take every path through the package, all with the date 2016-01-31.
func kinds() []kind {
	lastDay, second, fifth := &recur.On{LastDay: true}, &recur.On{Weekday: recur.Tuesday, Nth: 2}, &recur.On{Weekday: recur.Tuesday, Nth: 5}
	summer := &recur.Season{From: recur.MonthDay{Month: time.April, Day: 1}, To: recur.MonthDay{Month: time.October, Day: 31}}
	winter := &recur.Season{From: recur.MonthDay{Month: time.November, Day: 1}, To: recur.MonthDay{Month: time.February, Day: 29}}
	return []kind{
		{"daily", recur.Rule{Every: 1, Unit: recur.Day, Missed: recur.Roll}},
		{"weeks", recur.Rule{Every: 2, Unit: recur.Week, Missed: recur.Roll}},
		{"monthly", recur.Rule{Every: 1, Unit: recur.Month, Missed: recur.Roll}},
		{"yearly", recur.Rule{Every: 1, Unit: recur.Year, Missed: recur.Roll}},
		{"last day", recur.Rule{Every: 1, Unit: recur.Month, Missed: recur.Roll, On: lastDay}},
		{"nth weekday", recur.Rule{Every: 1, Unit: recur.Month, Missed: recur.Roll, On: second}},
		{"fifth weekday", recur.Rule{Every: 1, Unit: recur.Month, Missed: recur.Roll, On: fifth}},
		{"season", recur.Rule{Every: 2, Unit: recur.Week, Missed: recur.Roll, Season: summer}},
		{"season, nth weekday", recur.Rule{Every: 1, Unit: recur.Month, Missed: recur.Roll, On: second, Season: winter}},
		{"from completion", recur.Rule{Every: 3, Unit: recur.Month, From: recur.FromCompletion, Season: summer}},
	}
}

// series returns the task of a rule, due on 2016-01-31.
func series(rule recur.Rule) recur.Series {
	due := date.Of(2016, time.January, 31)
	return recur.Series{Rule: &rule, Anchor: &due, Due: &due}
}

//nolint:paralleltest // allocations are counted for the whole process
func TestNextDoesNotAllocate(t *testing.T) {
	for _, k := range kinds() {
		s := series(k.rule)
		day := s.Due.AddDays(3660)
		require.Zero(t, testing.AllocsPerRun(100, func() { s.Next(recur.Completed, day) }), k.name)
	}
}

// TestWhatIsNotValidIsAnsweredAnyhow asks for dates of rules that Validate refuses, which must neither hang nor crash.
func TestWhatIsNotValidIsAnsweredAnyhow(t *testing.T) {
	t.Parallel()
	for name, rule := range map[string]recur.Rule{
		"nothing":        {},
		"every too few":  {Every: -1, Unit: recur.Day},
		"every too many": {Every: 1 << 62, Unit: recur.Year},
		"no unit":        {Every: 1},
		"unknown place":  {Every: 1, Unit: recur.Month, On: &recur.On{Weekday: recur.Monday, Nth: 99}},
		"place before":   {Every: 1, Unit: recur.Month, On: &recur.On{Weekday: recur.Monday, Nth: -9999}},
		"no place":       {Every: 1, Unit: recur.Year, From: recur.FromCompletion, On: &recur.On{Weekday: "x", Nth: 1 << 40}},
		"no season":      {Every: 1, Unit: recur.Week, Season: &recur.Season{}},
		"a wild season":  {Every: 1, Unit: recur.Week, Season: &recur.Season{From: recur.MonthDay{Month: -9, Day: 77}, To: recur.MonthDay{Month: 99, Day: -3}}},
	} {
		require.Error(t, rule.Validate(), name)
		s := series(rule)
		for _, event := range []recur.Event{recur.Completed, recur.Skipped} {
			s.Next(event, s.Due.AddDays(100))
		}
		require.LessOrEqual(t, len(s.Occurrences(*s.Due, 1000)), recur.MaxOccurrences, name)
		rule.First(*s.Due)
	}
}

// FuzzNext asks for dates anywhere in the calendar, of rules with any numbers in them.
func FuzzNext(f *testing.F) {
	f.Add(1, uint8(2), uint8(0), uint8(0), 0, uint16(401), uint16(1031), int32(16831), int32(16831), int32(20000))
	f.Add(3, uint8(3), uint8(3), uint8(2), 5, uint16(1101), uint16(229), int32(-719162), int32(0), int32(2932896))
	f.Fuzz(func(t *testing.T, every int, unit, modes, weekday uint8, nth int, from, to uint16, anchor, due, day int32) {
		units := []recur.Unit{recur.Day, recur.Week, recur.Month, recur.Year}
		weekdays := []recur.Weekday{recur.Monday, recur.Tuesday, recur.Wednesday, recur.Thursday, recur.Friday, recur.Saturday, recur.Sunday}
		rule := recur.Rule{Every: every, Unit: units[unit%4]}
		if modes&1 != 0 {
			rule.From = recur.FromCompletion
		}
		if modes&2 != 0 {
			rule.Missed = recur.Roll
		}
		if modes&4 != 0 {
			rule.On = &recur.On{LastDay: nth == 0}
			if nth != 0 {
				rule.On = &recur.On{Weekday: weekdays[weekday%7], Nth: nth}
			}
		}
		if modes&8 != 0 {
			monthDay := func(n uint16) recur.MonthDay { return recur.MonthDay{Month: time.Month(n / 100), Day: int(n % 100)} }
			rule.Season = &recur.Season{From: monthDay(from), To: monthDay(to)}
		}
		if rule.Validate() != nil {
			return
		}
		s := recur.Series{Rule: &rule, Anchor: new(within(anchor)), Due: new(max(within(anchor), within(due)))}
		event := recur.Completed
		if modes&16 != 0 {
			event = recur.Skipped
		}
		next, ok := s.Next(event, within(day))
		if ok && (next < date.Of(1, time.January, 1) || next > date.Of(9999, time.December, 31)) {
			t.Fatalf("%s is no date", next)
		}
		// A walk of more than a few years takes too long.
		const near = 3000
		end := next
		if !ok {
			end = date.Of(9999, time.December, 31)
		}
		if int(max(end, within(day))-*s.Due) < near {
			require.Equal(t, answer(walk(s, event, within(day))), answer(next, ok))
		}
	})
}

// within returns a date of the calendar, the same for the same number.
func within(n int32) date.Date {
	first, last := date.Of(1, time.January, 1), date.Of(9999, time.December, 31)
	days := int64(last-first) + 1
	return first + date.Date((int64(n)%days+days)%days)
}
