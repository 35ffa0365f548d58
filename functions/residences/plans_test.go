package main

import (
	"testing"

	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
)

// TestPlans: what a person reads takes as long as that person's homes do, whoever else has some.
func TestPlans(t *testing.T) {
	t.Parallel()
	functiontest.CheckPlans(t, "residences", handlers, func(s *functiontest.Server) functiontest.Reader {
		ann, mia := s.Person(t, "ann"), s.Person(t, "mia")
		var at int64
		for range 10 {
			at = s.Home(t, ann)
			s.Join(t, at, mia, home.Member)
			s.Exec(t, `INSERT INTO task_task (residence_id, title, next_due_on) SELECT $1, 'Task ' || g, date '2026-06-01' + g FROM generate_series(1, 100) g`, at)
			s.Exec(t, `
				WITH made AS (INSERT INTO residence_contractor (residence_id, name) SELECT $1, 'Marsh ' || g FROM generate_series(1, 10) g RETURNING id)
				INSERT INTO residence_contractor_specialty (contractor_id, specialty_id) SELECT id, 1 + id % 16 FROM made`, at)
		}
		return functiontest.Reader{Token: ann.Token, Values: map[string]any{
			"id":                        at,
			"residence_id":              at,
			"/api/contractors/{id}/ id": functiontest.Value[int64](t, s, `SELECT max(id) FROM residence_contractor`),
			"specialty_id":              14,
			"search":                    "marsh",
		}}
	})
}
