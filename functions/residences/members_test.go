package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/page"
)

func TestUsers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	list := functiontest.Read[page.List[Member]](t, b.Call(t, "GET", b.path("users")+"?limit=2", b.viewer.Token, nil), 200)
	require.Len(t, list.Results, 2)
	rest := functiontest.Read[page.List[Member]](t, b.Call(t, "GET", b.path("users")+"?limit=2&cursor="+*list.NextCursor, b.viewer.Token, nil), 200)
	require.Len(t, rest.Results, 1)
	require.Nil(t, rest.NextCursor)
	for i, want := range []struct {
		functiontest.Person
		name string
		role home.Role
	}{{b.owner, "ann", home.Owner}, {b.member, "mia", home.Member}, {b.viewer, "vic", home.Viewer}} {
		got := append(list.Results, rest.Results...)[i]
		require.False(t, got.JoinedAt.IsZero())
		require.Equal(t, Member{ID: want.ID, FirstName: want.name, LastName: "Tester", Email: want.Email, Role: want.role, JoinedAt: got.JoinedAt}, got)
	}
	// Behind the last one is nothing, for a member; for a stranger there is no list.
	functiontest.Refused(t, b.Call(t, "GET", b.path("users")+"?limit=2&cursor="+*list.NextCursor, b.stranger.Token, nil), 404)
}

func TestRemoveAndLeave(t *testing.T) {
	t.Parallel()
	b := setup(t)
	elsewhere := b.Home(t, b.owner)
	b.Join(t, elsewhere, b.member, home.Member)
	for _, place := range []int64{b.home, elsewhere} {
		for _, p := range []functiontest.Person{b.member, b.viewer} {
			b.Exec(t, `INSERT INTO task_task (residence_id, title, assigned_to_id) VALUES ($1, $2, $3)`, place, fmt.Sprint(place, " ", p.ID), p.ID)
		}
	}
	b.share(t)
	functiontest.Refused(t, b.Call(t, "DELETE", b.path("users", b.owner.ID), b.owner.Token, nil), 409)
	functiontest.Refused(t, b.Call(t, "DELETE", b.path("users", b.stranger.ID), b.owner.Token, nil), 404)
	functiontest.Refused(t, b.Call(t, "DELETE", b.path("users", b.viewer.ID), b.member.Token, nil), 403)
	require.Empty(t, b.Events(t))

	kept := b.KeepBoards(t, b.owner, b.member, b.viewer, b.stranger)
	require.Equal(t, 204, b.Call(t, "DELETE", b.path("users", b.viewer.ID), b.viewer.Token, nil).Status)
	require.False(t, kept(b.owner) || kept(b.member) || kept(b.viewer))
	require.Eventually(t, func() bool { return kept(b.stranger) }, 20*time.Second, 10*time.Millisecond)
	require.Equal(t, []string{is(b.owner, home.Owner), is(b.member, home.Member)}, b.roles(t))
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM residence_share_code`), "who leaves ends no code")
	functiontest.Refused(t, b.Call(t, "DELETE", b.path("users", b.viewer.ID), b.viewer.Token, nil), 404)
	functiontest.Refused(t, b.Call(t, "GET", b.path(), b.viewer.Token, nil), 404)

	require.Equal(t, 204, b.Call(t, "DELETE", b.path("users", b.member.ID), b.owner.Token, nil).Status)
	require.Equal(t, []string{is(b.owner, home.Owner)}, b.roles(t))
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM residence_share_code`), "who is removed cannot come back by a code")
	require.Equal(t, []string{fmt.Sprint(elsewhere, " ", b.member.ID), fmt.Sprint(elsewhere, " ", b.viewer.ID)},
		functiontest.Value[[]string](t, b.Server, `SELECT array_agg(title ORDER BY id) FROM task_task WHERE assigned_to_id IS NOT NULL`))

	removed := "com.myhoneydue.residence.member_removed.v1 "
	require.Equal(t, []string{
		removed + fmt.Sprintf(`{"user_id": %d, "actor_id": %[1]d, "residence_id": %d}`, b.viewer.ID, b.home),
		removed + fmt.Sprintf(`{"user_id": %d, "actor_id": %d, "residence_id": %d}`, b.member.ID, b.owner.ID, b.home),
	}, b.Events(t))
}

// Who goes is taken off every task of the home, and its history tells who did it, and on which of their days.
func TestUnassignedIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `UPDATE auth_user SET time_zone = 'Etc/GMT+12' WHERE id = $1`, b.owner.ID)
	elsewhere := b.Home(t, b.owner)
	b.Join(t, elsewhere, b.member, home.Member)
	b.Exec(t, `INSERT INTO task_task (residence_id, title, assigned_to_id, next_due_on, in_progress, is_cancelled, is_archived, completion_count) VALUES
		($1, 'due', $3, '2026-03-31', false, false, false, 1), ($1, 'begun', $3, NULL, true, false, false, 0), ($1, 'cancelled', $3, '2026-01-01', true, true, false, 0),
		($1, 'archived', $3, NULL, false, false, true, 3), ($1, 'completed', $3, NULL, false, false, false, 2), ($1, 'of the viewer', $4, '2026-04-01', false, false, false, 0),
		($1, 'of the owner', $5, NULL, false, false, false, 0), ($1, 'of nobody', NULL, NULL, false, false, false, 0), ($2, 'elsewhere', $3, NULL, false, false, false, 0)`,
		b.home, elsewhere, b.member.ID, b.viewer.ID, b.owner.ID)
	told := func() []string {
		return functiontest.Value[[]string](t, b.Server, `
			SELECT coalesce(array_agg(concat_ws(' ', t.title, c.kind, c.completed_by_id, c.unassigned_id, c.completed_on, coalesce(c.occurrence_on::text, 'none'), c.before_in_progress) ORDER BY c.id), '{}')
			FROM task_taskcompletion c JOIN task_task t ON t.id = c.task_id`)
	}
	before := b.state(t)
	functiontest.Refused(t, b.Call(t, "DELETE", b.path("users", b.viewer.ID), b.member.Token, nil), 403)
	functiontest.Refused(t, b.Call(t, "DELETE", b.path("users", b.owner.ID), b.owner.Token, nil), 409)
	require.Equal(t, before, b.state(t))

	// It is 10 March for the server, 11 March where the member leaves, and 9 March where the owner removes.
	kiritimati := functiontest.Header{Name: "X-Timezone", Value: "Pacific/Kiritimati"}
	require.Equal(t, 204, b.Call(t, "DELETE", b.path("users", b.member.ID), b.member.Token, nil, kiritimati).Status)
	left := []string{}
	for _, task := range []string{"due%s2026-03-31 f", "begun%snone t", "cancelled%s2026-01-01 t", "archived%snone f", "completed%snone f"} {
		left = append(left, fmt.Sprintf(task, fmt.Sprintf(" unassigned %d %[1]d 2026-03-11 ", b.member.ID)))
	}
	require.Equal(t, left, told())

	require.Equal(t, 204, b.Call(t, "DELETE", b.path("users", b.viewer.ID), b.owner.Token, nil).Status)
	require.Equal(t, append(left, fmt.Sprintf("of the viewer unassigned %d %d 2026-03-09 2026-04-01 f", b.owner.ID, b.viewer.ID)), told())

	require.Equal(t, []string{"of the owner", "elsewhere"}, functiontest.Value[[]string](t, b.Server, `SELECT array_agg(title ORDER BY id) FROM task_task WHERE assigned_to_id IS NOT NULL`))
	require.Equal(t, []string{"1", "2", "3"}, functiontest.Value[[]string](t, b.Server, `SELECT array_agg(completion_count::text ORDER BY completion_count) FROM task_task WHERE completion_count > 0`), "it counts as no completion")
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM task_task WHERE last_completed_on IS NOT NULL`))
}

func TestChangeRole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	role := func(p functiontest.Person, role home.Role, by functiontest.Person) functiontest.Response {
		return b.Call(t, "PATCH", b.path("users", p.ID), by.Token, map[string]any{"role": role})
	}
	kept := b.KeepBoards(t, b.owner, b.member, b.viewer, b.stranger)
	got := functiontest.Read[Member](t, role(b.viewer, home.Member, b.owner), 200)
	require.Equal(t, home.Member, got.Role)
	require.Equal(t, "vic", got.FirstName)
	require.False(t, kept(b.owner) || kept(b.member) || kept(b.viewer))
	require.Eventually(t, func() bool { return kept(b.stranger) }, 20*time.Second, 10*time.Millisecond)
	functiontest.Read[Member](t, role(b.member, home.Viewer, b.owner), 200)
	require.Equal(t, []string{is(b.owner, home.Owner), is(b.member, home.Viewer), is(b.viewer, home.Member)}, b.roles(t))
	functiontest.Refused(t, b.Call(t, "PATCH", b.path(), b.member.Token, `{"name":"x"}`), 403)

	functiontest.Refused(t, role(b.owner, home.Member, b.owner), 409)
	functiontest.Refused(t, role(b.owner, home.Viewer, b.owner), 409)
	functiontest.Refused(t, role(b.stranger, home.Member, b.owner), 404)
	require.Equal(t, home.Owner, functiontest.Read[Member](t, role(b.owner, home.Owner, b.owner), 200).Role)
	require.Equal(t, home.Viewer, functiontest.Read[Member](t, role(b.member, home.Viewer, b.owner), 200).Role)
	require.Equal(t, []string{is(b.owner, home.Owner), is(b.member, home.Viewer), is(b.viewer, home.Member)}, b.roles(t))

	b.share(t)
	require.Equal(t, home.Owner, functiontest.Read[Member](t, role(b.member, home.Owner, b.owner), 200).Role)
	require.Equal(t, []string{is(b.owner, home.Member), is(b.member, home.Owner), is(b.viewer, home.Member)}, b.roles(t))
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM residence_share_code`), "the former owner's code has ended")
	functiontest.Refused(t, role(b.owner, home.Owner, b.owner), 403)
	require.Equal(t, 204, b.Call(t, "DELETE", b.path("users", b.owner.ID), b.owner.Token, nil).Status)
	require.Equal(t, 204, b.Call(t, "DELETE", b.path(), b.member.Token, nil).Status)
}
