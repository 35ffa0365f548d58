package main

import (
	"testing"

	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
)

// TestPlans: what a person reads takes as long as that person's tasks do, whoever else has some.
func TestPlans(t *testing.T) {
	t.Parallel()
	functiontest.CheckPlans(t, name, handlers, func(s *functiontest.Server) functiontest.Reader {
		ann, bob := s.Person(t, "ann"), s.Person(t, "bob")
		homes := make([]int64, 10)
		for i := range homes {
			homes[i] = s.Home(t, ann)
			s.Join(t, homes[i], bob, home.Member)
			s.Exec(t, `
				WITH made AS (
				    INSERT INTO task_task (residence_id, title, description, due_on, next_due_on, assigned_to_id, completion_count, last_completed_on)
				    SELECT $1, 'Task ' || g, 'Described', day, CASE WHEN g % 3 > 0 THEN day END, $2, 1, day
				    FROM generate_series(1, 100) g, LATERAL (SELECT date '2026-06-01' + g % 365 AS day) d RETURNING id, due_on)
				INSERT INTO task_taskcompletion (task_id, completed_by_id, completed_on, occurrence_on, before_in_progress)
				SELECT id, $2, due_on, due_on, false FROM made, generate_series(1, 3)`, homes[i], bob.ID)
		}
		return functiontest.Reader{Token: ann.Token, Values: map[string]any{
			"/api/tasks/by-residence/{id}/ id": homes[3],
			"/api/tasks/templates/{id}/ id":    101,
			"id":                               functiontest.Value[int64](t, s, `SELECT min(id) FROM task_task WHERE residence_id = $1`, homes[3]),
			"task_id":                          functiontest.Value[int64](t, s, `SELECT min(id) FROM task_task WHERE residence_id = $1`, homes[3]),
			"residence_id":                     homes[3],
			"assigned_to_id":                   bob.ID,
			"category_id":                      3,
			"q":                                "task",
			"search":                           "filter",
		}}
	})
}
