package main

import (
	"context"
	"fmt"
	"time"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/pg"
)

// A task is one as a list tells of it.
type task struct {
	ID           int64      `json:"id" example:"7"`
	Title        string     `json:"title" example:"Clean the gutters"`
	State        string     `json:"state" enum:"open,in_progress,completed,cancelled,archived" doc:"The first of cancelled, archived, completed and in_progress that it is; else open" example:"open"`
	HomeID       int64      `json:"home_id" example:"3"`
	Home         string     `json:"home" example:"Elm Street"`
	AssignedToID *int64     `json:"assigned_to_id" example:"12"`
	AssignedTo   *string    `json:"assigned_to" doc:"Their address" example:"bob@example.com"`
	NextDueDate  *date.Date `json:"next_due_date" format:"date" doc:"The date that is due now; null when none is" example:"2026-10-31"`
	CreatedAt    time.Time  `json:"created_at" example:"2026-06-01T08:00:00Z"`
	Key          string     `json:"-"` // what a list in the order of titles is ordered by
}

// In the words of the indexes that tasks are found by. The state's order is that of the app's board.
const (
	taskState = `(CASE WHEN is_cancelled THEN 'cancelled' WHEN is_archived THEN 'archived' WHEN next_due_on IS NULL AND completion_count > 0 THEN 'completed' WHEN in_progress THEN 'in_progress' ELSE 'open' END)`
	taskTitle = `(lower(title) COLLATE "C")`
)

const (
	taskColumns = `id, title, ` + taskState + ` AS state, residence_id, assigned_to_id, next_due_on, created_at, ` + taskTitle + ` AS key`

	taskInner = `SELECT ` + taskColumns + ` FROM task_task`

	// Homes and people are looked up for the tasks that a page shows, one by one: a join could read all of them.
	selectTasks = `
SELECT t.id, t.title, t.state, t.residence_id AS home_id, (SELECT h.name FROM residence_residence h WHERE h.id = t.residence_id) AS home,
    t.assigned_to_id, (SELECT u.email FROM auth_user u WHERE u.id = t.assigned_to_id) AS assigned_to, t.next_due_on AS next_due_date, t.created_at, t.key
FROM (%[1]s ORDER BY %[2]s LIMIT %[3]s) t
ORDER BY %[2]s`

	// One state's tasks lie side by side in the index, in the order of their titles; so the first of all states are the first of each.
	tasksByState = `SELECT t.* FROM unnest(%[1]s::text[]) s CROSS JOIN LATERAL (` + taskInner + `%[2]s ORDER BY key, id LIMIT %[3]s) t`
)

func taskStates() []string {
	return []string{"open", "in_progress", "completed", "cancelled", "archived"}
}

func (s *service) tasks() resource {
	return resource{
		listing: list[task]{
			Name: tasks, Title: "Tasks", About: "All tasks, newest first; those that a search finds in the order of their titles.",
			Search: "how titles begin", States: taskStates(), Of: []string{homes, people},
			Columns: []column[task]{
				{"Task", func(t task) cell { return linked(tasks, &t.ID, t.Title) }},
				{"Home", func(t task) cell { return linked(homes, &t.HomeID, t.Home) }},
				{"Assigned to", func(t task) cell { return personCell(t.AssignedToID, t.AssignedTo) }},
				{"Due", func(t task) cell { return day(t.NextDueDate) }},
				{"State", func(t task) cell { return ofTask(t.State) }},
				{"Made", func(t task) cell { return instant(&t.CreatedAt) }},
			},
			Find: s.findTasks,
			Mark: func(q query, t task) mark {
				if q.Q == "" {
					return mark{ID: t.ID}
				}
				return mark{Key: t.Key, ID: t.ID}
			},
		},
		item: one[taskDetail]{Name: tasks, Summary: "One task", Load: s.loadTask, View: s.viewTask},
	}
}

// ofTask is the state of a task with its looks.
func ofTask(state string) cell {
	if state == "completed" {
		return cell{Text: state, Tone: "good"}
	}
	return muted(state)
}

func (s *service) findTasks(ctx context.Context, q query) ([]task, error) {
	statement, args := tasksFound(q)
	found, err := pg.All[task](ctx, s.DB, statement, args...)
	if err != nil {
		return nil, fmt.Errorf("list tasks: %w", err)
	}
	return found, nil
}

// tasksFound is the statement for q and what it binds.
func tasksFound(q query) (statement string, args []any) {
	var f filter
	order := "id DESC"
	if q.Q == "" {
		f.below(q)
	} else {
		order = "key, id"
		f.titled(q)
	}
	narrowed := true
	switch {
	case q.of(homes) > 0:
		f.and("residence_id = " + f.bind(q.OfID) + "::bigint")
	case q.of(people) > 0:
		f.and("assigned_to_id = " + f.bind(q.OfID) + "::bigint")
	default:
		narrowed = false
	}
	limit := q.limit()
	if q.Q != "" && !narrowed {
		states := taskStates()
		if q.State != "" {
			states = []string{q.State}
		}
		f.and(taskState + " = s")
		statement = fmt.Sprintf(selectTasks, fmt.Sprintf(tasksByState, f.bind(states), f.where(), limit), order, limit)
		return statement, f.args
	}
	switch {
	case q.State == "":
	case narrowed:
		f.and(taskState + " = " + q.state())
	default:
		// In the order of the index on both: old tasks are completed and new ones are open, so that a walk by ids alone may find none for long.
		order = "state DESC, id DESC"
		f.and(taskState + " >= " + q.state())
		f.and("(" + taskState + ", id) < (" + q.state() + ", " + f.bind(q.below()) + "::bigint)")
	}
	return fmt.Sprintf(selectTasks, taskInner+f.where(), order, limit), f.args
}

// lastRune sorts behind whatever follows the beginning of a title.
const lastRune = "\U0010FFFF"

// titled keeps to the tasks whose titles begin with what is looked for, behind the mark.
func (f *filter) titled(q query) {
	after := mark{}
	if q.After != nil {
		after = *q.After
	}
	begins := "lower(" + f.bind(q.Q) + `::text) COLLATE "C"`
	f.and("(" + taskTitle + ", id) > (greatest(" + begins + ", " + f.bind(after.Key) + `::text COLLATE "C"), ` + f.bind(after.ID) + "::bigint)")
	f.and(taskTitle + " < (" + begins + " || '" + lastRune + `') COLLATE "C"`)
}
