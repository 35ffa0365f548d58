// Package recur says when what recurs is due next. It is arithmetic over calendar dates: nothing here knows a clock,
// nothing allocates, and every answer takes the same time however far its dates lie apart. testdata/vectors.json holds
// cases with their answers for any other implementation to run.
package recur

import (
	"time"

	"github.com/honeydue/backend/shared/date"
)

// MaxEvery is the largest count of units in a rule: no date that this calendar has lies further ahead in years, and no sum
// of dates here comes near the end of its type.
const MaxEvery = 9999

const (
	daysInWeek   = 7
	monthsInYear = 12
)

// last is the end of the calendar that PostgreSQL and the wire share; beyond is no date of it.
var (
	last   = date.Of(9999, time.December, 31)
	beyond = last + 1
)

// A Rule says how a task recurs. A task that happens once has none. Ask Validate before anything else: of a rule that is
// not valid, no answer is promised. The zero values of From and Missed are FromDueDate and Keep.
type Rule struct {
	Every  int     `json:"every" minimum:"1" maximum:"9999" doc:"How many units lie between two dates" example:"3"`
	Unit   Unit    `json:"unit" enum:"day,week,month,year" example:"month"`
	From   From    `json:"from,omitempty" enum:"due_date,completion" default:"due_date" doc:"What the next date counts from"`
	On     *On     `json:"on,omitempty" doc:"A day of the month other than that of due_date; for months and years"`
	Season *Season `json:"season,omitempty" doc:"The part of the year in which the task is due; a date outside moves to its next first day that fits"`
	Missed Missed  `json:"missed,omitempty" enum:"keep,roll" default:"keep" doc:"keep: the next date follows the one that was due. roll: it is the first after the day of completing or skipping"`
}

// WithDefaults returns r with nothing left to guess: the form to store and to show.
func (r Rule) WithDefaults() Rule {
	if r.From == "" {
		r.From = FromDueDate
	}
	if r.Missed == "" {
		r.Missed = Keep
	}
	return r
}

// A Unit is what a rule counts.
type Unit string

// The units of rules.
const (
	Day   Unit = "day"
	Week  Unit = "week"
	Month Unit = "month"
	Year  Unit = "year"
)

// From is what the next date counts from.
type From string

// A rule counts from the date that people set, as for a bill or the bins, whose day does not move when somebody is late; or
// from the day of completing, as for a filter, which lasts three months from when it was changed.
const (
	FromDueDate    From = "due_date"
	FromCompletion From = "completion"
)

// Missed is what becomes of the dates that pass before somebody completes or skips the one that is due.
type Missed string

// Keep loses none: the next date is the one behind that which was due, be it past or not, so that each month's rent is
// asked for. Roll lets them go: the next date lies after the day of completing or skipping, so that three weeks away do not
// mean three cleanings at once. Completed before its date, either moves on to the date behind it. A rule that counts from
// completion misses nothing, so that both mean the same to it.
const (
	Keep Missed = "keep"
	Roll Missed = "roll"
)

// On names a day of a month: either its last one, or a weekday by its place in the month. The place is 1 to 5, or -1 for the
// last. A month that has no fifth such weekday is passed over, as RFC 5545 does, because who wants the last says -1.
type On struct {
	LastDay bool    `json:"last_day,omitempty" doc:"The last day of the month; excludes the other two"`
	Weekday Weekday `json:"weekday,omitempty" enum:"monday,tuesday,wednesday,thursday,friday,saturday,sunday" example:"tuesday"`
	Nth     int     `json:"nth,omitempty" enum:"-1,1,2,3,4,5" doc:"Which of the month's; -1 is the last. A month without a fifth is passed over" example:"2"`
}

// A Weekday is the English name of a day of the week, in lower case.
type Weekday string

// The days of the week.
const (
	Monday    Weekday = "monday"
	Tuesday   Weekday = "tuesday"
	Wednesday Weekday = "wednesday"
	Thursday  Weekday = "thursday"
	Friday    Weekday = "friday"
	Saturday  Weekday = "saturday"
	Sunday    Weekday = "sunday"
)

// LastNth is the place of the last weekday of its name in a month.
const LastNth = -1
