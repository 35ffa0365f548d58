package main

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/board"
	"github.com/honeydue/backend/shared/cache"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// A clock is one that a test sets.
type clock struct{ at atomic.Pointer[time.Time] }

func (c *clock) set(t testing.TB, instant string) {
	t.Helper()
	at, err := time.Parse(time.RFC3339, instant)
	require.NoError(t, err)
	c.at.Store(&at)
}

// handlers are the function's on that clock.
func (c *clock) handlers(base *function.Base) func(huma.API) {
	base.Now = func() time.Time { return *c.at.Load() }
	return newService(base, nil).routes
}

// born begins everyone's generation in the cache, as registering does: one that is missing stays closed for 10 s.
func (b *bundle) born(t testing.TB) {
	t.Helper()
	for _, p := range []functiontest.Person{b.ann, b.bob, b.vera, b.sam} {
		b.Base.Cache.Born(t.Context(), p.ID)
	}
}

// keep has a process keep a person's board of all homes, on their own date, and returns once it has.
func (b *bundle) keep(t testing.TB, p functiontest.Person, today date.Date, headers ...functiontest.Header) {
	t.Helper()
	// A busy machine may let a try run out of its few milliseconds.
	require.Eventually(t, func() bool {
		b.board(t, p, "", headers...)
		kept, _ := b.Base.Cache.Board(t.Context(), cache.View{User: p.ID, Name: viewName(today, 0, board.DefaultThreshold)})
		return kept != nil
	}, 30*time.Second, 10*time.Millisecond)
}

// TestMidnightMovesATask has ann in Berlin and bob in New York look at a task that is due on the 21st while midnight passes
// the one and then the other. Their boards are kept: a title that changes behind the cache's back does not show on them.
func TestMidnightMovesATask(t *testing.T) {
	t.Parallel()
	now := &clock{}
	now.set(t, "2026-11-21T22:59:59Z") // 23:59:59 in Berlin, 17:59:59 in New York
	b := bundle{Server: functiontest.Start(t, name, now.handlers)}
	b.people(t)
	b.Exec(t, `UPDATE auth_user SET time_zone = 'Europe/Berlin' WHERE id = $1`, b.ann.ID) // bob's phone tells his
	newYork := functiontest.Header{Name: "X-Timezone", Value: "America/New_York"}
	b.born(t)
	b.post(t, object{"title": "new", "due_date": "2026-11-21"})
	dueOn := date.Of(2026, time.November, 21)
	b.keep(t, b.ann, dueOn)
	b.keep(t, b.bob, dueOn, newYork)
	b.Exec(t, `UPDATE task_task SET title = 'read from the database'`)

	dueSoon, overdue := map[board.Column][]string{board.DueSoon: {"new"}}, map[board.Column][]string{board.Overdue: {"read from the database"}}
	for _, step := range []struct {
		at       string
		ann, bob map[board.Column][]string
	}{
		{"2026-11-21T22:59:59Z", dueSoon, dueSoon},
		{"2026-11-21T23:00:00Z", overdue, dueSoon},
		{"2026-11-22T04:59:59Z", overdue, dueSoon},
		{"2026-11-22T05:00:00Z", overdue, overdue},
	} {
		now.set(t, step.at)
		require.Equal(t, step.ann, b.board(t, b.ann, "").titles(), step.at)
		require.Equal(t, step.bob, b.board(t, b.bob, "", newYork).titles(), step.at)
	}
}

// TestEveryZoneHasItsBoard asks in zones from 12 hours behind UTC to 14 ahead of it, all at one instant.
func TestEveryZoneHasItsBoard(t *testing.T) {
	t.Parallel()
	now := &clock{}
	b := bundle{Server: functiontest.Start(t, name, now.handlers)}
	b.people(t)
	at := time.Date(2026, time.November, 21, 10, 15, 0, 0, time.UTC)
	now.at.Store(&at)
	b.born(t)
	for _, due := range []string{"2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22", "2026-12-20", "2026-12-21", "2026-12-22"} {
		b.post(t, object{"title": due, "due_date": due})
	}
	yesterday := map[board.Column][]string{
		board.Overdue: {"2026-11-19"}, board.DueSoon: {"2026-11-20", "2026-11-21", "2026-11-22", "2026-12-20"}, board.Upcoming: {"2026-12-21", "2026-12-22"},
	}
	today := map[board.Column][]string{
		board.Overdue: {"2026-11-19", "2026-11-20"}, board.DueSoon: {"2026-11-21", "2026-11-22", "2026-12-20", "2026-12-21"}, board.Upcoming: {"2026-12-22"},
	}
	tomorrow := map[board.Column][]string{
		board.Overdue: {"2026-11-19", "2026-11-20", "2026-11-21"}, board.DueSoon: {"2026-11-22", "2026-12-20", "2026-12-21", "2026-12-22"},
	}
	for zone, want := range map[string]map[board.Column][]string{
		"Etc/GMT+12": yesterday, "Etc/GMT+11": yesterday, // POSIX counts westwards: 22:15 and 23:15
		"Etc/GMT+10": today, "Pacific/Marquesas": today, "America/St_Johns": today, "UTC": today, "Asia/Kolkata": today, "Asia/Kathmandu": today,
		"Australia/Eucla": today, "Etc/GMT-13": today, // 23:15
		"Pacific/Chatham": tomorrow, "Etc/GMT-14": tomorrow, "Pacific/Kiritimati": tomorrow, // 00:00 and 00:15
	} {
		for range 2 { // the second time from the cache
			require.Equal(t, want, b.board(t, b.ann, "", functiontest.Header{Name: "X-Timezone", Value: zone}).titles(), zone)
		}
	}
	_, err := authn.Zone("Etc/GMT-15")
	require.Error(t, err, "there is no zone further ahead")
}
