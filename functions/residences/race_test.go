package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/cache"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/pg"
)

type call struct {
	method, path, token string
	body                any
}

// atOnce makes all calls at the same moment and returns their statuses.
func (b *bundle) atOnce(t *testing.T, calls ...call) []int {
	t.Helper()
	return functiontest.AtOnce(t, calls, func(c call) (functiontest.Response, error) { return b.Try(c.method, c.path, c.token, c.body) })
}

func (b *bundle) joining(p functiontest.Person, code string) call {
	return call{"POST", all + "join/", p.Token, map[string]string{"code": code}}
}

func (b *bundle) leaving(p functiontest.Person) call {
	return call{"DELETE", b.path("users", p.ID), p.Token, nil}
}

func (b *bundle) handing(from, to functiontest.Person) call {
	return call{"PATCH", b.path("users", to.ID), from.Token, map[string]string{"role": "owner"}}
}

func (b *bundle) owners(t *testing.T) int {
	t.Helper()
	return functiontest.Value[int](t, b.Server, `SELECT count(*) FROM residence_member WHERE residence_id = $1 AND role = 'owner'`, b.home)
}

func TestTwoRedeemOneCode(t *testing.T) {
	t.Parallel()
	b := setup(t)
	zoe := b.Person(t, "zoe")
	won := map[int64]int{}
	for range 100 {
		code := b.share(t)
		statuses := b.atOnce(t, b.joining(b.stranger, code), b.joining(zoe, code))
		require.ElementsMatch(t, []int{200, 404}, statuses)
		members := functiontest.Value[[]int64](t, b.Server, `SELECT array_agg(user_id) FROM residence_member WHERE user_id IN ($1, $2)`, b.stranger.ID, zoe.ID)
		require.Len(t, members, 1)
		require.Equal(t, 200, statuses[map[bool]int{members[0] == zoe.ID: 1}[true]])
		won[members[0]]++
		b.Exec(t, `DELETE FROM residence_member WHERE user_id = $1`, members[0])
		b.Exec(t, `DELETE FROM shared_limit`)
	}
	require.Len(t, b.Events(t), 100)
	t.Log("rounds won by each", won)
}

func TestOneRedeemsTwiceAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 20 {
		code := b.share(t)
		for _, status := range b.atOnce(t, b.joining(b.stranger, code), b.joining(b.stranger, code)) {
			require.Contains(t, []int{200, 404}, status)
		}
		require.Contains(t, b.roles(t), is(b.stranger, home.Member))
		b.Exec(t, `DELETE FROM residence_member WHERE user_id = $1`, b.stranger.ID)
		b.Exec(t, `DELETE FROM shared_limit`)
	}
	require.Len(t, b.Events(t), 20)
}

func TestHandoverAgainstLeaving(t *testing.T) {
	t.Parallel()
	b := setup(t)
	seen := map[string]int{}
	for range 50 {
		statuses := b.atOnce(t, b.handing(b.owner, b.member), b.leaving(b.member))
		outcome := fmt.Sprint(statuses)
		require.Contains(t, []string{"[200 409]", "[404 204]"}, outcome)
		require.Equal(t, 1, b.owners(t))
		seen[outcome]++
		b.Exec(t, `DELETE FROM residence_member WHERE user_id IN ($1, $2)`, b.owner.ID, b.member.ID)
		b.Join(t, b.home, b.owner, home.Owner)
		b.Join(t, b.home, b.member, home.Member)
	}
	t.Log(seen)
}

func TestTwoHandovers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 30 {
		statuses := b.atOnce(t, b.handing(b.owner, b.member), b.handing(b.owner, b.viewer), b.leaving(b.owner))
		require.Equal(t, 1, b.owners(t), statuses)
		for _, status := range statuses {
			require.Contains(t, []int{200, 204, 403, 404, 409}, status)
		}
		b.Exec(t, `DELETE FROM residence_member WHERE residence_id = $1`, b.home)
		b.Join(t, b.home, b.owner, home.Owner)
		b.Join(t, b.home, b.member, home.Member)
		b.Join(t, b.home, b.viewer, home.Viewer)
	}
}

// Two ways out at the same moment: one of them succeeds, and each task's history tells it once.
func TestLeavingAgainstRemoval(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 20 {
		b.Exec(t, `INSERT INTO task_task (residence_id, title, assigned_to_id) SELECT $1, 'x', $2 FROM generate_series(1, 3)`, b.home, b.member.ID)
		statuses := b.atOnce(t, b.leaving(b.member), call{"DELETE", b.path("users", b.member.ID), b.owner.Token, nil})
		require.ElementsMatch(t, []int{204, 404}, statuses)
		require.Equal(t, 1, functiontest.Value[int](t, b.Server, `
			SELECT count(DISTINCT completed_by_id) FROM task_taskcompletion WHERE kind = 'unassigned' AND unassigned_id = $1 AND completed_by_id = $2
			HAVING count(*) = 3`, b.member.ID, []int64{b.member.ID, b.owner.ID}[statuses[0]/404]))
		require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM task_task WHERE assigned_to_id IS NOT NULL`))
		b.Exec(t, `DELETE FROM task_task`)
		b.Join(t, b.home, b.member, home.Member)
	}
}

// A task that is given to someone at the moment they leave is theirs no more: giving it waits, or leaving does.
func TestLeavingWaitsForAssigning(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	tx := b.Begin(t)
	_, err := tx.Exec(ctx, `SELECT id FROM residence_residence WHERE id = $1 FOR KEY SHARE`, b.home)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, `INSERT INTO task_task (residence_id, title, assigned_to_id) VALUES ($1, 'x', $2)`, b.home, b.member.ID)
	require.NoError(t, err)
	left := make(chan int, 1)
	go func() {
		r, err := b.Try("DELETE", b.path("users", b.member.ID), b.member.Token, nil)
		if err != nil {
			r.Status = -1
		}
		left <- r.Status
	}()
	require.Eventually(t, func() bool {
		return functiontest.Value[int](t, b.Server, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == 1
	}, 3*time.Second, 5*time.Millisecond)
	require.NoError(t, tx.Commit(ctx))
	require.Equal(t, 204, <-left)
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM task_taskcompletion c JOIN task_task t ON t.id = c.task_id WHERE t.assigned_to_id IS NULL`))
}

func TestJoinAgainstDelete(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 50 {
		code := b.share(t)
		statuses := b.atOnce(t, b.joining(b.stranger, code), call{"DELETE", b.path(), b.owner.Token, nil})
		require.Contains(t, []string{"[200 204]", "[404 204]"}, fmt.Sprint(statuses))
		require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM residence_residence`))
		require.Empty(t, b.roles(t))
		b.Exec(t, `DELETE FROM shared_limit`)
		b.home = b.Home(t, b.owner)
	}
}

func TestManyMakeHomesPrimary(t *testing.T) {
	t.Parallel()
	b := setup(t)
	second := b.Home(t, b.owner)
	for range 30 {
		statuses := b.atOnce(t,
			call{"PATCH", b.path(), b.owner.Token, `{"is_primary":true}`},
			call{"PATCH", fmt.Sprint(all, second, "/"), b.owner.Token, `{"is_primary":true}`},
			call{"POST", all, b.owner.Token, `{"name":"C","is_primary":true}`},
			call{"POST", all, b.owner.Token, `{"name":"D","is_primary":true}`},
		)
		require.Equal(t, []int{200, 200, 201, 201}, statuses)
		require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM residence_residence WHERE is_primary`))
	}
}

// While a change of what members see holds the home, nobody joins; and while someone joins, no board is kept.
func TestJoinWaitsForChanges(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	kept := b.KeepBoards(t, b.owner, b.stranger)
	code := b.share(t)
	tx := b.Begin(t)
	_, err := tx.Exec(ctx, `SELECT id FROM residence_residence WHERE id = $1 FOR KEY SHARE`, b.home)
	require.NoError(t, err)

	joined := make(chan int, 1)
	go func() {
		r, err := b.Try("POST", all+"join/", b.stranger.Token, map[string]string{"code": code})
		if err != nil {
			r.Status = -1
		}
		joined <- r.Status
	}()
	require.Eventually(t, func() bool {
		return functiontest.Value[int](t, b.Server, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == 1
	}, 3*time.Second, 5*time.Millisecond)
	require.False(t, kept(b.owner) || kept(b.stranger))
	require.NotContains(t, b.roles(t), is(b.stranger, home.Member))
	require.NoError(t, tx.Commit(ctx))
	require.Equal(t, 200, <-joined)
	require.Contains(t, b.roles(t), is(b.stranger, home.Member))
}

// A commit that goes on after its caller gave up: whoever reads between the two keeps no board.
func TestRemovalInDoubtLeavesNoStaleBoard(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN LOOP
		BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; EXCEPTION WHEN query_canceled OR lock_not_available THEN NULL; END;
	END LOOP; END $$`)
	b.Exec(t, `CREATE CONSTRAINT TRIGGER linger AFTER DELETE ON residence_member DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION linger()`)
	lingering := b.Begin(t)
	_, err := lingering.Exec(t.Context(), `SELECT pg_advisory_xact_lock(7)`)
	require.NoError(t, err)
	kept := b.KeepBoards(t, b.member)
	functiontest.Read[Residence](t, b.Call(t, "GET", b.path(), b.owner.Token, nil), 200) // the connection is there

	impatient, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	s := newService(b.Base, nil)
	err = s.administer(impatient, b.home, func(members) error { return nil }, func(tx *pg.Tx, _ members) error {
		tx.Queue(deleteMember, b.home, b.member.ID)
		return nil
	})
	require.True(t, pg.InDoubt(err), "%v", err)
	require.Contains(t, b.roles(t), is(b.member, home.Member))
	_, keep := b.Base.Cache.Board(t.Context(), cache.View{User: b.member.ID, Name: "test"})
	keep(t.Context(), []byte("read before the commit"))
	require.NoError(t, lingering.Commit(t.Context()))
	require.Eventually(t, func() bool { return len(b.roles(t)) == 2 }, 10*time.Second, 10*time.Millisecond)
	require.False(t, kept(b.member))
}
