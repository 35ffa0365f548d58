package main

import (
	"flag"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/board"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// cutSeed is go test -cutseed: the cuts of an earlier run again.
var cutSeed = flag.Uint64("cutseed", 0, "draw the cuts of TestCommitsThatAreCut from this seed")

// TestCommitsThatAreCut: whatever becomes of the connection to PostgreSQL, everything is there once, with one answer, and no board
// lags behind.
func TestCommitsThatAreCut(t *testing.T) {
	t.Parallel()
	const commits = 1000
	calm := functiontest.Start(t, name, handlers)
	plots := cutPlots(t, calm, commits)
	functiontest.CheckCuts(t, calm, name, handlers, plots, *cutSeed)
	require.Equal(t, afterwards(commits/4), whatIsThere(t, calm), "something is there twice, or not at all")
	s := newService(calm.Base, nil)
	today, err := date.Parse(noon.Format(time.DateOnly))
	require.NoError(t, err)
	for _, p := range plots {
		want, err := s.readBoard(t.Context(), p.Person, 0, today, board.DefaultThreshold)
		require.NoError(t, err)
		require.Equal(t, want, functiontest.Read[kanban](t, calm.Call(t, http.MethodGet, p.Shown, p.Token, nil), 200))
	}
}

// helper is a member of every plot's home: the first person of all.
const helper = 1

// fill says what is done in a plot that has its name and its home. task is one that was there.
func fill(p *functiontest.Plot, task int64) {
	one := object{"title": "Clean the gutters", "assigned_to_id": helper}
	switch p.Name {
	case "bulk":
		p.Path, p.Body = "/api/tasks/bulk/", object{"residence_id": p.Home, "tasks": []object{one, one}}
	case "complete":
		p.Path, p.Body = "/api/task-completions/", object{"task_id": task, "notes": "done"}
	case "skip":
		p.Path = path(task, "skip")
	default:
		one["residence_id"] = p.Home
		p.Path, p.Body = "/api/tasks/", one
	}
}

// afterwards is what each of so many plots of every kind holds in the end. The tasks that were there are weekly.
func afterwards(each int) map[string]int {
	return map[string]int{
		"create: 1 task, 0 entries, 1 event, due never":      each,
		"bulk: 2 tasks, 0 entries, 2 events, due never":      each,
		"complete: 1 task, 1 entry, 1 event, due 2026-12-07": each,
		"skip: 1 task, 1 entry, 0 events, due 2026-12-07":    each,
	}
}

func whatIsThere(t *testing.T, s *functiontest.Server) map[string]int {
	t.Helper()
	return functiontest.Value[map[string]int](t, s, `
		WITH task AS (SELECT residence_id, count(*) AS n, min(next_due_on) AS due FROM task_task GROUP BY 1),
		    entry AS (SELECT t.residence_id, count(*) AS n FROM task_taskcompletion c JOIN task_task t ON t.id = c.task_id GROUP BY 1),
		    event AS (SELECT (data->>'residence_id')::bigint AS residence_id, count(*) AS n FROM outbox_event e JOIN outbox_delivery d ON d.event_id = e.id GROUP BY 1),
		    plot AS (SELECT format('%s: %s %s, %s %s, %s %s, due %s', r.name,
		            coalesce(t.n, 0), CASE t.n WHEN 1 THEN 'task' ELSE 'tasks' END,
		            coalesce(c.n, 0), CASE c.n WHEN 1 THEN 'entry' ELSE 'entries' END,
		            coalesce(e.n, 0), CASE e.n WHEN 1 THEN 'event' ELSE 'events' END, coalesce(t.due::text, 'never')) AS state, count(*) AS n
		        FROM residence_residence r LEFT JOIN task t ON t.residence_id = r.id LEFT JOIN entry c ON c.residence_id = r.id LEFT JOIN event e ON e.residence_id = r.id
		        GROUP BY 1)
		SELECT json_object_agg(state, n) FROM plot`)
}

// cutPlots makes n plots whose owners have their boards in the cache from the first look on.
func cutPlots(t *testing.T, s *functiontest.Server, n int) []functiontest.Plot {
	t.Helper()
	require.EqualValues(t, helper, s.Person(t, "bob").ID)
	s.Exec(t, `INSERT INTO auth_user (email) SELECT 'cut' || g || '@example.com' FROM generate_series(1, $1) g`, n)
	for _, sql := range []string{
		`INSERT INTO auth_session (user_id, token_hash, expires_at) SELECT id, sha256(('hd_cut' || id)::bytea), now() + interval '90 days' FROM auth_user WHERE id <> $1`,
		`INSERT INTO residence_residence (name, created_by_id) SELECT (ARRAY['create', 'bulk', 'complete', 'skip'])[1 + id % 4], id FROM auth_user WHERE id <> $1`,
		`INSERT INTO residence_member (residence_id, user_id, role) SELECT id, created_by_id, 'owner' FROM residence_residence UNION ALL SELECT id, $1, 'member' FROM residence_residence`,
	} {
		s.Exec(t, sql, helper)
	}
	s.Exec(t, `INSERT INTO task_task (residence_id, title, frequency_id, due_on, next_due_on)
		SELECT id, 'Sweep', 3, '2026-11-30', '2026-11-30' FROM residence_residence WHERE name IN ('complete', 'skip')`)
	rows, err := s.Owner.Query(t.Context(), `
		SELECT r.name, r.created_by_id, r.id, coalesce(t.id, 0) FROM residence_residence r LEFT JOIN task_task t ON t.residence_id = r.id ORDER BY r.id`)
	require.NoError(t, err)
	plots, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (functiontest.Plot, error) {
		p := functiontest.Plot{Shown: "/api/tasks/"}
		var task int64
		err := row.Scan(&p.Name, &p.Person, &p.Home, &task)
		p.Token = fmt.Sprintf("hd_cut%d", p.Person)
		fill(&p, task)
		return p, err
	})
	require.NoError(t, err)
	require.Len(t, plots, n)
	for _, p := range plots {
		s.Base.Cache.Born(t.Context(), p.Person)
	}
	return plots
}
