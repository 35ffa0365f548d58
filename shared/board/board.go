// Package board says in which column of the board a task stands. The predicate is written twice, in Go and in
// SQL, side by side; a test holds the two against each other.
package board

import (
	"fmt"

	"github.com/honeydue/backend/shared/date"
)

// A Column is the name of a column, or empty for a task that no board shows.
type Column string

// The columns, in the order in which a board shows them.
const (
	Hidden     Column = ""
	Overdue    Column = "overdue_tasks"
	DueSoon    Column = "due_soon_tasks"
	Upcoming   Column = "upcoming_tasks"
	InProgress Column = "in_progress_tasks"
	Completed  Column = "completed_tasks"
)

// DefaultThreshold is how many days ahead a task is due soon, unless the caller says otherwise.
const DefaultThreshold = 30

// A State is what of a task decides its column.
type State struct {
	NextDueOn       *date.Date
	CompletionCount int
	InProgress      bool
	IsCancelled     bool
	IsArchived      bool
}

// Of returns the column of a task on the person's own date today: the first that matches.
func Of(s State, today date.Date, threshold int) Column {
	switch {
	case s.IsCancelled || s.IsArchived:
		return Hidden
	case s.NextDueOn == nil && s.CompletionCount > 0:
		return Completed
	case s.InProgress:
		return InProgress
	case s.NextDueOn == nil:
		return Upcoming
	case *s.NextDueOn < today:
		return Overdue
	case *s.NextDueOn <= today.AddDays(threshold):
		return DueSoon
	default:
		return Upcoming
	}
}

// Buttons returns what the app offers to do with a task in column; nothing for one that no board shows.
func Buttons(column Column) []string {
	switch column {
	case Hidden:
		return nil
	case InProgress:
		return []string{"edit", "complete", "cancel"}
	case Completed:
		return []string{"view"}
	default:
		return []string{"edit", "complete", "cancel", "mark_in_progress"}
	}
}

// SQL is the same predicate over the columns of task_task under alias; today and threshold are SQL expressions of
// types date and integer.
func SQL(alias, today, threshold string) string {
	return fmt.Sprintf(`CASE
    WHEN %[1]s.is_cancelled OR %[1]s.is_archived THEN ''
    WHEN %[1]s.next_due_on IS NULL AND %[1]s.completion_count > 0 THEN 'completed_tasks'
    WHEN %[1]s.in_progress THEN 'in_progress_tasks'
    WHEN %[1]s.next_due_on IS NULL THEN 'upcoming_tasks'
    WHEN %[1]s.next_due_on < %[2]s THEN 'overdue_tasks'
    WHEN %[1]s.next_due_on <= %[2]s + %[3]s THEN 'due_soon_tasks'
    ELSE 'upcoming_tasks' END`, alias, today, threshold)
}
