package main

import (
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
)

// together sends calls at the same moment and returns their answers in order.
func together(t testing.TB, calls ...func() (functiontest.Response, error)) []functiontest.Response {
	t.Helper()
	answers, errs := make([]functiontest.Response, len(calls)), make([]error, len(calls))
	var ready, done sync.WaitGroup
	ready.Add(len(calls))
	for i, call := range calls {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			answers[i], errs[i] = call()
		})
	}
	done.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	return answers
}

// TestTwoCompleteTheSameOccurrence has two members, on two processes, complete what both saw due.
func TestTwoCompleteTheSameOccurrence(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := functiontest.StartOn(t, b.DB, name, handlers)
	id := b.post(t, object{"due_date": "2026-11-21", "frequency_id": 2}).ID
	const rounds = 50
	for round := range rounds {
		body := object{"task_id": id, "occurrence": b.get(t, id).NextDueDate}
		answers := together(t,
			func() (functiontest.Response, error) {
				return b.Try(http.MethodPost, "/api/task-completions/", b.ann.Token, body)
			},
			func() (functiontest.Response, error) {
				return other.Try(http.MethodPost, "/api/task-completions/", b.bob.Token, body)
			})
		won, lost := answers[0], answers[1]
		if won.Status != 201 {
			won, lost = lost, won
		}
		done := functiontest.Read[completed](t, won, 201)
		require.Equal(t, done.Task, conflict[task](t, lost))
		require.Equal(t, round+1, done.Task.CompletionCount)
	}
	require.Equal(t, "2027-01-10", b.get(t, id).NextDueDate.String())
	require.Equal(t, rounds, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM outbox_event WHERE type LIKE '%task.completed%'`))
}

// TestCompletingAndTakingBack has entries come and go at the same moment: the history always fits the task.
func TestCompletingAndTakingBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.post(t, object{"due_date": "2026-11-21", "frequency_id": 2}).ID
	newest := b.complete(t, id, nil).Completion.ID
	for range 30 {
		answers := together(t,
			func() (functiontest.Response, error) {
				return b.Try(http.MethodPost, "/api/task-completions/", b.ann.Token, object{"task_id": id})
			},
			func() (functiontest.Response, error) {
				return b.Try(http.MethodDelete, completionPath(newest), b.bob.Token, nil)
			})
		newest = functiontest.Read[completed](t, answers[0], 201).Completion.ID
		require.Contains(t, []int{204, 409}, answers[1].Status, string(answers[1].Body))
		now := b.get(t, id)
		require.Equal(t, now.CompletionCount, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM task_taskcompletion`))
		require.Equal(t, now.NextDueDate.AddDays(-now.CompletionCount), *now.DueDate)
	}
}

// TestAssigningToOneWhoLeaves never leaves a task with somebody who is gone.
func TestAssigningToOneWhoLeaves(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.post(t, nil).ID
	for range 30 {
		b.Exec(t, `INSERT INTO residence_member (residence_id, user_id, role) VALUES ($1, $2, 'member') ON CONFLICT DO NOTHING`, b.home, b.bob.ID)
		answers := together(t,
			func() (functiontest.Response, error) {
				return b.Try(http.MethodPatch, path(id), b.ann.Token, object{"assigned_to_id": b.bob.ID})
			},
			func() (functiontest.Response, error) { return functiontest.Response{}, b.leave(t) })
		require.Contains(t, []int{200, 422}, answers[0].Status, string(answers[0].Body))
		require.Nil(t, b.get(t, id).AssignedToID)
	}
}

// leave takes bob out of the home as the residences function does: the home's row first, then his tasks.
func (b *bundle) leave(t testing.TB) error {
	t.Helper()
	tx, err := b.Owner.Begin(t.Context())
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	for _, sql := range []string{
		`SELECT id FROM residence_residence WHERE id = $1 AND $2 > 0 FOR UPDATE`,
		`DELETE FROM residence_member WHERE residence_id = $1 AND user_id = $2`,
		`UPDATE task_task SET assigned_to_id = NULL WHERE residence_id = $1 AND assigned_to_id = $2`,
	} {
		if _, err := tx.Exec(t.Context(), sql, b.home, b.bob.ID); err != nil {
			return err
		}
	}
	return tx.Commit(t.Context())
}
