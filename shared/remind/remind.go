// Package remind says on which days people are reminded of what is due, and at which instants. It knows no clock and no database.
//
// A stage is how many days lie between a person's date and the one that something is due: 7 is a week before, 0 the day itself, -1 the
// day behind it. A reminder has one stage, and each comes once.
package remind

import (
	"slices"
	"time"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/notice"
	"github.com/honeydue/backend/shared/recur"
)

// A Rhythm is how often a task comes. The zero value is that of one that comes once.
type Rhythm struct {
	Every int
	Unit  recur.Unit
}

// RhythmOf returns the rhythm of a rule, or else the one of the list, whose values are nil for what happens once.
func RhythmOf(rule *recur.Rule, every *int, unit *string) Rhythm {
	switch {
	case rule != nil:
		return Rhythm{rule.Every, rule.Unit}
	case every != nil && unit != nil:
		return Rhythm{*every, recur.Unit(*unit)}
	default:
		return Rhythm{}
	}
}

// ahead returns the stages before the day: the rarer a task is, the earlier people want to hear of it.
func (r Rhythm) ahead() []int {
	switch {
	case r.atLeast(360, 52, 12):
		return []int{30, 14, 7}
	case r.atLeast(90, 13, 3):
		return []int{7, 3}
	case r.atLeast(28, 4, 1):
		return []int{3}
	case r.atLeast(14, 2, 1):
		return []int{1}
	default:
		return nil
	}
}

// atLeast returns whether r comes no more often than that, by the count of its own unit.
func (r Rhythm) atLeast(days, weeks, months int) bool {
	switch r.Unit {
	case recur.Day:
		return r.Every >= days
	case recur.Week:
		return r.Every >= weeks
	case recur.Month:
		return r.Every >= months
	case recur.Year:
		return r.Every*12 >= months
	default:
		return false
	}
}

// Stages returns those of a task, in the order of their days.
func Stages(r Rhythm) []int { return slices.Concat(r.ahead(), []int{0}, Behind()) }

// Ahead returns every stage that some task has before its day or on it.
func Ahead() []int { return []int{30, 14, 7, 3, 1, 0} }

// Behind returns the stages that every task has behind its day: daily at first, then every third day, none after two weeks.
func Behind() []int { return []int{-1, -2, -3, -6, -9, -12} }

// Warranty returns the stages of a warranty that ends.
func Warranty() []int { return []int{30, 7, 0} }

// Stage returns the stage at which a task that is due then stands on the day today, and whether it has that one.
func Stage(due, today date.Date, r Rhythm) (stage int, ok bool) {
	stage = int(due - today)
	return stage, slices.Contains(Stages(r), stage)
}

// Type returns what kind of message tells of a task at that stage.
func Type(stage int) string {
	if stage < 0 {
		return notice.TaskOverdue
	}
	return notice.TaskDueSoon
}

// Hours are those of a person's clock, 0 to 23, at which they want to hear of tasks.
type Hours struct{ DueSoon, Overdue int }

func (h Hours) of(stage int) int {
	if stage < 0 {
		return h.Overdue
	}
	return h.DueSoon
}

// A Reminder is one that lies ahead.
type Reminder struct {
	At    time.Time // in UTC
	Stage int
}

// Next returns the first reminder after now of a task that is due then, if one is left, for somebody with those hours in zone.
func Next(due date.Date, r Rhythm, hours Hours, zone *time.Location, now time.Time) (Reminder, bool) {
	for _, stage := range Stages(r) {
		if at := At(due.AddDays(-stage), hours.of(stage), zone); at.After(now) {
			return Reminder{at, stage}, true
		}
	}
	return Reminder{}, false
}
