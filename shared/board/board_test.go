package board_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/board"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
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

// zones are one for each whole hour from 12 behind UTC to 14 ahead of it, and those that people live in off the hour or
// where the clock is changed.
func zones() []string {
	names := []string{
		"UTC", "America/St_Johns", "Pacific/Marquesas", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Australia/Eucla", "Australia/Lord_Howe",
		"Pacific/Chatham", "Pacific/Apia", "Pacific/Kiritimati", "America/New_York", "Europe/Berlin", "Africa/Casablanca", "America/Santiago",
	}
	for behind := -14; behind <= 12; behind++ {
		names = append(names, fmt.Sprintf("Etc/GMT%+d", behind)) // POSIX counts westwards
	}
	return names
}

// TestSQLSaysTheSame holds the two predicates against each other. On the one side a request with X-Timezone asks what today
// is, and Of decides; on the other PostgreSQL does both by itself.
func TestSQLSaysTheSame(t *testing.T) {
	t.Parallel()
	var now atomic.Pointer[time.Time]
	server := functiontest.Start(t, "tasks", func(base *function.Base) func(huma.API) {
		base.Now = func() time.Time { return *now.Load() }
		return func(on huma.API) { todayOf(on, base) }
	})
	person := server.Person(t, "ann")
	query := `
		SELECT ` + board.SQL("t", "($1::timestamptz AT TIME ZONE $2)::date", "$3::int") + `
		FROM unnest($4::date[], $5::int[], $6::bool[], $7::bool[], $8::bool[])
		    AS t (next_due_on, completion_count, in_progress, is_cancelled, is_archived)`
	rapid.Check(t, func(r *rapid.T) {
		zone := rapid.SampledFrom(zones()).Draw(r, "zone")
		at := instant(r, zone)
		now.Store(&at)
		answer := server.Call(t, http.MethodGet, "/api/today/", person.Token, nil, functiontest.Header{Name: "X-Timezone", Value: zone})
		today := functiontest.Read[struct{ Today date.Date }](t, answer, http.StatusOK).Today
		threshold := rapid.IntRange(1, 365).Draw(r, "threshold")
		states := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) board.State { return state(r, today, threshold) }), 1, 60).Draw(r, "states")
		var due []*date.Date
		var counts []int
		var progress, cancelled, archived []bool
		for _, s := range states {
			due, counts = append(due, s.NextDueOn), append(counts, s.CompletionCount)
			progress, cancelled, archived = append(progress, s.InProgress), append(cancelled, s.IsCancelled), append(archived, s.IsArchived)
		}
		rows, err := server.Owner.Query(t.Context(), query, at, zone, threshold, due, counts, progress, cancelled, archived)
		require.NoError(r, err)
		found, err := pgx.CollectRows(rows, pgx.RowTo[board.Column])
		require.NoError(r, err)
		require.Len(r, found, len(states))
		for i, s := range states {
			require.Equal(r, board.Of(s, today, threshold), found[i], "%+v at %s in %s", s, at, zone)
		}
	})
}

// todayOf registers a call that answers with the date that its caller has.
func todayOf(on huma.API, base *function.Base) {
	type output struct {
		Body struct {
			Today date.Date `json:"today" format:"date"`
		}
	}
	api.Handle(base.Auth.Group(on), huma.Operation{Method: http.MethodGet, Path: "/api/today/", OperationID: "get-today"},
		func(ctx context.Context, _ *struct{}) (*output, error) {
			out := &output{}
			out.Body.Today = authn.Today(ctx, base.Now())
			return out, nil
		})
}

// instant draws a moment; every other one is within a second of a midnight of the zone.
func instant(t *rapid.T, zone string) time.Time {
	at := time.Unix(rapid.Int64Range(
		time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC).Unix(),
		time.Date(2036, time.January, 1, 0, 0, 0, 0, time.UTC).Unix(),
	).Draw(t, "instant"), 0).UTC()
	if rapid.Bool().Draw(t, "at midnight") {
		place, err := authn.Zone(zone)
		require.NoError(t, err)
		year, month, day := at.In(place).Date()
		at = time.Date(year, month, day, 0, 0, rapid.IntRange(-1, 1).Draw(t, "off midnight"), 0, place).UTC()
	}
	return at
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
