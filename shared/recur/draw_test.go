package recur_test

import (
	"time"

	"pgregory.net/rapid"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/recur"
)

// rules draws a valid rule; often one with On, a season, or both.
func rules() *rapid.Generator[recur.Rule] {
	return rapid.Custom(func(t *rapid.T) recur.Rule {
		r := recur.Rule{
			Every:  rapid.IntRange(1, 14).Draw(t, "every"),
			Unit:   rapid.SampledFrom([]recur.Unit{recur.Day, recur.Week, recur.Month, recur.Year}).Draw(t, "unit"),
			From:   rapid.SampledFrom([]recur.From{"", recur.FromDueDate, recur.FromCompletion}).Draw(t, "from"),
			Missed: rapid.SampledFrom([]recur.Missed{"", recur.Keep, recur.Roll}).Draw(t, "missed"),
		}
		if byMonth := r.Unit == recur.Month || r.Unit == recur.Year; byMonth && rapid.Bool().Draw(t, "has on") {
			r.On = &recur.On{LastDay: true}
			if nth := rapid.SampledFrom([]int{0, -1, 1, 2, 3, 4, 5}).Draw(t, "nth"); nth != 0 {
				r.On = &recur.On{Nth: nth, Weekday: rapid.SampledFrom([]recur.Weekday{
					recur.Monday, recur.Tuesday, recur.Wednesday, recur.Thursday, recur.Friday, recur.Saturday, recur.Sunday,
				}).Draw(t, "weekday")}
			}
		}
		if rapid.Bool().Draw(t, "has season") {
			r.Season = &recur.Season{From: monthDays().Draw(t, "season from"), To: monthDays().Draw(t, "season to")}
		}
		return r
	}).Filter(func(r recur.Rule) bool { return r.Validate() == nil })
}

func monthDays() *rapid.Generator[recur.MonthDay] {
	return rapid.Custom(func(t *rapid.T) recur.MonthDay {
		leap := date.Of(2000, time.January, rapid.OneOf(rapid.IntRange(1, 366), rapid.IntRange(59, 61)).Draw(t, "day of the year")).Time()
		return recur.MonthDay{Month: leap.Month(), Day: leap.Day()}
	})
}

// days draws a date of two centuries around 2000, often one at the end of a month.
func days() *rapid.Generator[date.Date] {
	return rapid.Custom(func(t *rapid.T) date.Date {
		year := rapid.OneOf(rapid.IntRange(1890, 2110), rapid.SampledFrom([]int{1900, 2000, 2024, 2096, 2100})).Draw(t, "year")
		if rapid.Bool().Draw(t, "at the end of a month") {
			return date.Of(year, time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(-1, 1).Draw(t, "day"))
		}
		return date.Of(year, time.January, rapid.IntRange(1, 366).Draw(t, "day of the year"))
	})
}

// A drawn case is a task that people gave a date, at some point of its life, and what happens on a day near or far from
// what is due.
type drawn struct {
	recur.Series
	Event recur.Event
	Day   date.Date
}

func draw(t *rapid.T) drawn {
	anchor := days().Draw(t, "anchor")
	d := drawn{Series: recur.Series{Rule: new(rules().Draw(t, "rule")), Anchor: &anchor, Due: &anchor}}
	for range rapid.IntRange(0, 4).Draw(t, "done before") {
		late := rapid.OneOf(rapid.Just(0), rapid.IntRange(-60, 400)).Draw(t, "late")
		if next, ok := d.Next(recur.Completed, d.Due.AddDays(late)); ok {
			d.Due = &next
		}
	}
	d.Event = rapid.SampledFrom([]recur.Event{recur.Completed, recur.Skipped}).Draw(t, "event")
	d.Day = d.Due.AddDays(rapid.OneOf(rapid.Just(0), rapid.IntRange(-500, 500), rapid.IntRange(0, 4000)).Draw(t, "days late"))
	return d
}

// at returns the same task when that date is due.
func (d drawn) at(due date.Date) recur.Series {
	d.Due = &due
	return d.Series
}
