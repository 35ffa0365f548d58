package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
)

// One token that many accounts send at the same moment belongs to one of them, and nobody meets an error.
func TestDeviceRace(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var people []functiontest.Person
	for range 6 {
		people = append(people, b.Person(t, "racer"))
	}
	for round := range 15 {
		calls := append(append([]functiontest.Person{}, people...), people...)
		statuses := functiontest.AtOnce(t, calls, func(p functiontest.Person) (functiontest.Response, error) {
			return b.Try("POST", notices+"devices/", p.Token, object{"platform": "android", "token": fmt.Sprint("token", round%2)})
		})
		for _, status := range statuses {
			require.Equal(t, 201, status)
		}
		require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_device WHERE token = $1`, fmt.Sprint("token", round%2)))
	}
}

// Sessions, and the account, end while they register a phone that somebody else registers as well: it is nobody's whose session is over,
// and nobody waits in a circle.
func TestDeviceAgainstEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	eve := b.person(t, "eve")
	try := func(method, path, token string, body any, want ...int) func() error {
		return func() error {
			r, err := b.Try(method, path, token, body)
			if err == nil && !slices.Contains(want, r.Status) {
				err = fmt.Errorf("%s %s: %d %s", method, path, r.Status, r.Body)
			}
			return err
		}
	}
	for round := range 12 {
		ann := b.person(t, "ann")
		second := b.signInAgain(t, ann.Email)
		b.Exec(t, `DELETE FROM shared_limit`)
		phone := object{"platform": "ios", "token": apple(round)}
		b.device(t, ann.Token, phone)
		against := []func() error{
			try("POST", notices+"devices/", ann.Token, phone, 201, 401),
			try("POST", notices+"devices/", second, phone, 201, 401),
			try("POST", notices+"devices/", eve.Token, phone, 201),
			try("PATCH", notices+"preferences/", second, `{"task_overdue_hour": 7}`, 200, 401),
			try("POST", linkOf(codeKey().Unsubscribe(ann.ID, "task_overdue")), "", nil, 204),
			try("DELETE", "/api/auth/sessions/", second, nil, 204, 401),
			try("POST", "/api/auth/logout/", ann.Token, nil, 204, 401),
		}
		if round%2 == 1 {
			against = append(against, b.deletes(ann))
		}
		atOnce(t, against...)
		owners := functiontest.Value[[]int64](t, b.Server, `
			SELECT coalesce(array_agg(d.user_id), '{}') FROM auth_device d JOIN auth_session s ON s.id = d.session_id AND s.user_id = d.user_id
			WHERE d.token = $1`, apple(round))
		require.LessOrEqual(t, len(owners), 1)
		if round%2 == 1 {
			require.NotContains(t, owners, ann.ID)
		}
	}
}
