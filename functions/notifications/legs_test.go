package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// outage has nobody tick for 20 hours before nine, in which a crew has its turns, on two days: half of it all over the world, and half
// at once.
func (k *ticker) outage(t *testing.T) {
	t.Helper()
	k.crew(t, 4*peopleAtOnce)
	k.Exec(t, `
		INSERT INTO task_task (residence_id, title, next_due_on) SELECT id, 'Task', $1::date FROM residence_residence`, nine.AddDate(0, 0, -1))
	k.Exec(t, `
		UPDATE auth_user SET time_zone = 'Etc/GMT' || to_char(id % 25 - 12, 'FMSG99'), task_due_soon_hour = 8 + id % 4, task_overdue_hour = 9
		WHERE id % 2 = 0`)
	k.Exec(t, `UPDATE notification_schedule SET planned_until = $1, reached = NULL`, nine.Add(-20*time.Hour))
	k.Exec(t, `TRUNCATE notification_message`)
}

// messages returns what was planned for the people behind an id.
func (k *ticker) messages(t *testing.T, after int64) []string {
	t.Helper()
	return functiontest.Value[[]string](t, k.Server, `
		SELECT array_agg(concat_ws(' ', user_id, type, subject_id, occurrence_on, stage, channel, next_at) ORDER BY user_id, type, subject_id, channel)
		FROM notification_message WHERE user_id > $1`, after)
}

// A sight is how often ticks looked at what they may have to tell.
type sight struct {
	mu   sync.Mutex
	seen map[string]int
}

// batch plans one batch, or a few when nobody of the first has anything.
func (k *ticker) batch(t *testing.T, of *sight) (whole bool, err error) {
	t.Helper()
	ends := make(chan struct{})
	end := sync.OnceFunc(func() { close(ends) })
	hurried := *k.service
	hurried.ends = ends
	all := reminders()
	for i, r := range all {
		all[i].tells = func(c candidate, day date.Date) bool {
			end()
			of.mu.Lock()
			defer of.mu.Unlock()
			of.seen[fmt.Sprint(r.typ, c.UserID, *c.SubjectID, day)]++
			return r.tells(c, day)
		}
	}
	_, whole, err = hurried.planTick(t.Context(), "reminders", reminderPairs, all)
	return whole, err
}

// TestTickGoesOn: a tick that is stopped after each batch plans what one does that is not, and looks at everything once.
func TestTickGoesOn(t *testing.T) {
	t.Parallel()
	k := newTickerAt(t, nine)
	k.outage(t)
	k.tick(t, "reminders")
	want := k.messages(t, 0)
	require.Greater(t, len(want), 2*peopleAtOnce)
	for _, ticks := range []int{1, 2} {
		k.Exec(t, `TRUNCATE notification_message`)
		k.Exec(t, `UPDATE notification_schedule SET planned_until = $1`, nine.Add(-20*time.Hour))
		k.now = nine
		s, passes := &sight{seen: map[string]int{}}, 0
		for whole := false; !whole; passes++ {
			wholes, errs := make([]bool, ticks), make([]error, ticks)
			var group sync.WaitGroup
			for i := range ticks {
				group.Go(func() { wholes[i], errs[i] = k.batch(t, s) })
			}
			group.Wait()
			for i, err := range errs {
				require.NoError(t, err)
				whole = whole || wholes[i]
			}
			k.now = k.now.Add(20 * time.Second)
			require.Less(t, passes, 100)
		}
		t.Logf("%d messages after %d passes of %d ticks", len(want), passes, ticks)
		require.Greater(t, passes, 6)
		require.Equal(t, want, k.messages(t, 0))
		require.Equal(t, "nowhere", k.place(t))
		require.Equal(t, nine, k.plannedUntil(t), "nobody's hour came behind it")
		require.LessOrEqual(t, slices.Max(slices.Collect(maps.Values(s.seen))), ticks)
	}
}

// TestPeopleWhoMoveWhileATickGoesOn: that turns come and go between two batches changes nothing for others.
func TestPeopleWhoMoveWhileATickGoesOn(t *testing.T) {
	t.Parallel()
	k := newTickerAt(t, nine)
	k.outage(t)
	k.tick(t, "reminders")
	const movers = 60
	want := k.messages(t, movers)
	k.Exec(t, `TRUNCATE notification_message`)
	k.Exec(t, `UPDATE notification_schedule SET planned_until = $1`, nine.Add(-20*time.Hour))
	zones := []string{"Etc/GMT-12", "Africa/Abidjan", "Etc/GMT+5", "Zulu", "Etc/GMT-14"}
	s := &sight{seen: map[string]int{}}
	for pass, whole := 0, false; !whole; pass++ {
		var err error
		whole, err = k.batch(t, s)
		require.NoError(t, err)
		k.Exec(t, `UPDATE auth_user SET time_zone = $2, task_due_soon_hour = $3 WHERE id <= $1`, movers, zones[pass%len(zones)], pass%24)
		k.Exec(t, `DELETE FROM auth_user WHERE id = $1`, pass+1)
		k.Exec(t, `INSERT INTO auth_user (email, email_verified_at, created_at) VALUES ($1, now(), $2)`, fmt.Sprintf("new%d@example.com", pass), nine)
		require.Less(t, pass, 100)
	}
	require.Equal(t, want, k.messages(t, movers))
}

// TestPlaces: of ticks that stop, the first counts, and none once all was planned that it was to plan.
func TestPlaces(t *testing.T) {
	t.Parallel()
	k := newTickerAt(t, nine)
	k.crew(t, 3)
	at := func(now time.Time) window {
		w, err := k.service.window(t.Context(), "reminders", reminderPairs, now)
		require.NoError(t, err)
		return w
	}
	keep := func(w window, after int64) {
		l := w.legs(reminders())[0]
		l.after = after
		require.NoError(t, k.service.keepPlace(t.Context(), "reminders", w, l))
	}
	after := func() int64 { return at(nine).place.After }
	first, second, late := at(nine), at(nine), at(nine.Add(time.Minute))
	keep(first, 2)
	keep(second, 1)
	keep(late, 3)
	require.EqualValues(t, 2, after())
	require.Equal(t, nine, at(nine.Add(time.Hour)).until.UTC())
	further, other := at(nine.Add(time.Hour)), at(nine.Add(time.Hour))
	keep(further, 3)
	keep(other, 2)
	require.EqualValues(t, 3, after())

	require.NoError(t, k.service.notePlanned(t.Context(), "reminders", nine.Add(-time.Minute)))
	require.EqualValues(t, 3, after(), "it is of a later one")
	require.NoError(t, k.service.notePlanned(t.Context(), "reminders", nine))
	require.Equal(t, "nowhere", k.place(t))
	keep(first, 2)
	keep(further, 3)
	require.Equal(t, "nowhere", k.place(t))

	// One that another release stored, of what this one does not tell, is none; one behind planned_until is over.
	text, err := json.Marshal(place{Until: nine.Add(-time.Hour), Type: "dinner"})
	require.NoError(t, err)
	k.Exec(t, `UPDATE notification_schedule SET planned_until = $1, reached = $2`, nine.Add(-time.Minute), string(text))
	require.Equal(t, 6, k.tick(t, "reminders"))
	require.Equal(t, "nowhere", k.place(t))
}

// TestTickStopsInTime: there is time left to say where.
func TestTickStopsInTime(t *testing.T) {
	t.Parallel()
	k := newTickerAt(t, nine)
	k.crew(t, 1)
	ctx, cancel := context.WithTimeout(t.Context(), beforeEnd)
	defer cancel()
	planned, whole, err := k.plan(ctx, "reminders")
	require.NoError(t, err)
	require.False(t, whole)
	require.Zero(t, planned)
	require.Contains(t, k.place(t), typeDueSoon)
	require.Equal(t, 2, k.tick(t, "reminders"))
}

// TestNobodyIsToldOfDaysBeforeTheirAccount: nor does the log, when nobody was there.
func TestNobodyIsToldOfDaysBeforeTheirAccount(t *testing.T) {
	t.Parallel()
	k := newTickerAt(t, nine.Add(15*time.Minute))
	k.crew(t, 3)
	k.Exec(t, `UPDATE auth_user SET created_at = $1 WHERE id = (SELECT max(id) FROM auth_user)`, nine.Add(time.Second))
	k.Exec(t, `UPDATE auth_user SET created_at = $1 WHERE id = (SELECT min(id) FROM auth_user)`, nine)
	require.Equal(t, 4, k.tick(t, "reminders"))

	k.Exec(t, `UPDATE auth_user SET created_at = $1`, nine)
	k.Exec(t, `UPDATE notification_schedule SET planned_until = $1`, nine.AddDate(0, 0, -30))
	k.now = nine.Add(23 * time.Hour)
	k.tick(t, "reminders")
	require.NotContains(t, k.log.String(), "nobody ticked")
	k.Exec(t, `UPDATE auth_user SET created_at = $1`, nine.AddDate(0, 0, -10))
	k.Exec(t, `UPDATE notification_schedule SET planned_until = $1`, nine.AddDate(0, 0, -30))
	k.tick(t, "reminders")
	require.Contains(t, k.log.String(), "nobody ticked")
	require.Contains(t, k.log.String(), `"hours":239`)
}
