package recur_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/recur"
)

// TestNextIsWhatADayByDayWalkFinds also draws tasks that have no due date, and tasks whose date nobody set.
func TestNextIsWhatADayByDayWalkFinds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		switch rapid.IntRange(0, 5).Draw(t, "lacks") {
		case 0:
			d.Anchor = nil
		case 1:
			d.Due = nil
		case 2:
			d.Anchor, d.Due = nil, nil
		}
		require.Equal(t, answer(walk(d.Series, d.Event, d.Day)), answer(d.Next(d.Event, d.Day)))
	})
}

func TestNextIsAfterTheLast(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		next, ok := d.Next(d.Event, d.Day)
		require.True(t, ok || neverComes(*d.Rule))
		if !ok {
			return
		}
		last := *d.Due
		switch {
		case d.Rule.From == recur.FromCompletion && d.Event == recur.Completed:
			last = d.Day
		case d.Rule.From == recur.FromCompletion || d.Rule.Missed == recur.Roll:
			last = max(*d.Due, d.Day)
		}
		require.Greater(t, next, last)
	})
}

// neverComes says of which rules a series may have no further date: a fifth weekday of February that leap years do not meet.
func neverComes(r recur.Rule) bool { return r.On != nil && r.On.Nth == 5 }

func TestNextIsInSeasonAndFits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		next, ok := d.Next(d.Event, d.Day)
		if !ok {
			return
		}
		w := walker{*d.Rule}
		require.True(t, w.inside(next))
		require.True(t, d.Rule.On == nil || w.day(next, next))
		first, ok := d.Rule.First(next)
		require.True(t, ok)
		require.Equal(t, next, first, "what fits is the first that fits")
	})
}

// TestNextIsStable asks twice, and completes once more on the day on which a thing has just been done.
func TestNextIsStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		next, ok := d.Next(d.Event, d.Day)
		require.Equal(t, answer(next, ok), answer(d.Next(d.Event, d.Day)))
		if ok && d.Rule.From == recur.FromCompletion && d.Event == recur.Completed {
			again, _ := d.at(next).Next(recur.Completed, d.Day)
			require.Equal(t, next, again)
		}
	})
}

func TestNextIsMonotone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		earlier, ok := d.Next(d.Event, d.Day)
		later, still := d.Next(d.Event, d.Day.AddDays(rapid.OneOf(rapid.Just(1), rapid.IntRange(0, 900)).Draw(t, "days")))
		require.True(t, ok || !still)
		if still {
			require.LessOrEqual(t, earlier, later)
		}
	})
}

// TestRollIsKeepUntilItLiesAhead finds the date to which a rule rolls by completing one missed date after the other.
func TestRollIsKeepUntilItLiesAhead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		d.Rule.From, d.Rule.Missed = recur.FromDueDate, recur.Roll
		rolled, ok := d.Next(d.Event, d.Day)
		d.Rule.Missed = recur.Keep
		kept, has := d.Next(d.Event, d.Day)
		for has && kept <= d.Day {
			kept, has = d.at(kept).Next(d.Event, d.Day)
		}
		require.Equal(t, answer(kept, has), answer(rolled, ok))
	})
}

// TestTheCalendarRepeats moves everything by 400 years, over which dates and weekdays repeat.
func TestTheCalendarRepeats(t *testing.T) {
	t.Parallel()
	const days = 146097
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		shift := days * rapid.IntRange(-4, 18).Draw(t, "times 400 years")
		anchor, due := d.Anchor.AddDays(shift), d.Due.AddDays(shift)
		next, ok := d.Next(d.Event, d.Day)
		shifted, has := recur.Series{Rule: d.Rule, Anchor: &anchor, Due: &due}.Next(d.Event, d.Day.AddDays(shift))
		if ok && has {
			require.Equal(t, next.AddDays(shift).String(), shifted.String())
		}
		require.True(t, ok || !has)
	})
}

func TestOccurrencesFollowEachOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		today := d.Day
		n := rapid.IntRange(-1, 120).Draw(t, "n")
		dates := d.Occurrences(today, n)
		require.LessOrEqual(t, len(dates), max(0, min(n, recur.MaxOccurrences)))
		for i, due := range dates {
			if i == 0 {
				require.Equal(t, *d.Due, due)
				continue
			}
			require.Greater(t, due, dates[i-1])
			next, ok := d.at(dates[i-1]).Next(recur.Completed, max(today, dates[i-1]))
			require.True(t, ok)
			require.Equal(t, next, due)
		}
		if len(dates) < min(n, recur.MaxOccurrences) && !neverComes(*d.Rule) {
			require.Greater(t, dates[len(dates)-1], date.Of(9999-14, 1, 1))
		}
	})
}
