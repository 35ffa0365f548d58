package board_test

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/honeydue/backend/shared/board"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/devserver/devtest"
)

func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }

// day is the date around which these tests happen.
func day(t require.TestingT) date.Date {
	d, err := date.Parse("2026-11-21")
	require.NoError(t, err)
	return d
}

func TestOf(t *testing.T) {
	t.Parallel()
	today := day(t)
	in := func(days int) *date.Date { return new(today.AddDays(days)) }
	for name, c := range map[string]struct {
		state board.State
		want  board.Column
	}{
		"never dated, never done":      {board.State{}, board.Upcoming},
		"done once":                    {board.State{CompletionCount: 1}, board.Completed},
		"done, and due again":          {board.State{CompletionCount: 1, NextDueOn: in(0)}, board.DueSoon},
		"done, and still in progress":  {board.State{CompletionCount: 1, InProgress: true}, board.Completed},
		"cancelled wins":               {board.State{IsCancelled: true, CompletionCount: 1}, board.Hidden},
		"archived wins":                {board.State{IsArchived: true, InProgress: true}, board.Hidden},
		"in progress, although late":   {board.State{InProgress: true, NextDueOn: in(-1)}, board.InProgress},
		"yesterday":                    {board.State{NextDueOn: in(-1)}, board.Overdue},
		"today":                        {board.State{NextDueOn: in(0)}, board.DueSoon},
		"the last day of due soon":     {board.State{NextDueOn: in(30)}, board.DueSoon},
		"the first day after due soon": {board.State{NextDueOn: in(31)}, board.Upcoming},
	} {
		require.Equal(t, c.want, board.Of(c.state, today, board.DefaultThreshold), name)
	}
}

// TestSQLSaysTheSame holds the two predicates against each other.
func TestSQLSaysTheSame(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, devtest.New(t).OwnerURL())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(ctx)) })
	query := `
		SELECT ` + board.SQL("t", "$1::date", "$2::int") + `
		FROM unnest($3::date[], $4::int[], $5::bool[], $6::bool[], $7::bool[])
		    AS t (next_due_on, completion_count, in_progress, is_cancelled, is_archived)`
	rapid.Check(t, func(t *rapid.T) {
		today := day(t).AddDays(rapid.IntRange(-400, 400).Draw(t, "today"))
		threshold := rapid.IntRange(1, 365).Draw(t, "threshold")
		states := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) board.State { return state(t, today, threshold) }), 1, 60).Draw(t, "states")
		var due []*date.Date
		var counts []int
		var progress, cancelled, archived []bool
		for _, s := range states {
			due, counts = append(due, s.NextDueOn), append(counts, s.CompletionCount)
			progress, cancelled, archived = append(progress, s.InProgress), append(cancelled, s.IsCancelled), append(archived, s.IsArchived)
		}
		rows, err := conn.Query(ctx, query, today, threshold, due, counts, progress, cancelled, archived)
		require.NoError(t, err)
		found, err := pgx.CollectRows(rows, pgx.RowTo[board.Column])
		require.NoError(t, err)
		require.Len(t, found, len(states))
		for i, s := range states {
			require.Equal(t, board.Of(s, today, threshold), found[i], "%+v", s)
		}
	})
}

// state draws a task whose date is often one of those where the columns meet.
func state(t *rapid.T, today date.Date, threshold int) board.State {
	s := board.State{
		CompletionCount: rapid.IntRange(0, 2).Draw(t, "count"),
		InProgress:      rapid.Bool().Draw(t, "in progress"),
		IsCancelled:     rapid.IntRange(0, 5).Draw(t, "cancelled") == 5,
		IsArchived:      rapid.IntRange(0, 5).Draw(t, "archived") == 5,
	}
	if rapid.IntRange(0, 3).Draw(t, "dated") > 0 {
		around := rapid.SampledFrom([]int{0, threshold, rapid.IntRange(-700, 700).Draw(t, "days")}).Draw(t, "around")
		s.NextDueOn = new(today.AddDays(around + rapid.IntRange(-1, 1).Draw(t, "off")))
	}
	return s
}
