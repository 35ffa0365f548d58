package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
)

// A paged is a page of the API.
type paged[T any] struct {
	Results    []T     `json:"results"`
	NextCursor *string `json:"next_cursor"`
}

// all asks for every page of a list of the API, so many entries each.
func all[T any](t *testing.T, b *bundle, as account, path string, limit int) []T {
	t.Helper()
	var found []T
	for cursor := ""; ; {
		p := functiontest.Read[paged[T]](t, b.Call(t, "GET", fmt.Sprintf("%slimit=%d&cursor=%s", path, limit, cursor), as.Token, nil), 200)
		require.LessOrEqual(t, len(p.Results), limit)
		found = append(found, p.Results...)
		if p.NextCursor == nil {
			return found
		}
		cursor = *p.NextCursor
	}
}

// message makes one to a person and returns its id.
func (b *bundle) message(t *testing.T, to functiontest.Person, channel, state string) int64 {
	t.Helper()
	return functiontest.Value[int64](t, b.Server, `
		INSERT INTO notification_message (user_id, channel, type, refs, subject_id, occurrence_on, stage, state, attempts, last_error, expires_at)
		SELECT $1, $2, 'task_due_soon', '{}', count(*), '2026-06-01', 3, $3, 12, CASE WHEN $3 = 'dead' THEN 'mail server answered 550' END, now() - interval '1 hour'
		FROM notification_message RETURNING id`, to.ID, channel, state)
}

func TestDeliveries(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me, ann, ben := b.operator(t, supportRole), b.Person(t, "ann"), b.Person(t, "ben")
	var ids []int64
	for i, state := range []string{"sent", "dead", "pending", "sending", "sent", "dead", "sent"} {
		to := ann
		if i%2 == 1 {
			to = ben
		}
		ids = append(ids, b.message(t, to, "email", state))
	}
	for path, want := range map[string][]int{
		"?":                                {6, 5, 4, 3, 2, 1, 0},
		"?state=dead&":                     {5, 1},
		"?state=pending&":                  {2},
		"?state=sending&":                  {3},
		"?state=sent&":                     {6, 4, 0},
		fmt.Sprintf("?people=%d&", ben.ID): {5, 3, 1},
		fmt.Sprintf("?people=%d&state=sent&", ben.ID): nil,
	} {
		for _, limit := range []int{1, 2, 50} {
			var found []int
			for _, d := range all[delivery](t, b, me, "/api/admin/deliveries/"+path, limit) {
				found = append(found, int(d.ID-ids[0]))
			}
			require.Equal(t, want, found, path)
		}
	}
	page := b.browse(t, "/deliveries/?state=dead", me.Cookie, nil)
	require.Equal(t, 200, page.Status, page.Body)
	require.Contains(t, page.Body, fmt.Sprintf(`<a href="/people/%d/"><bdi>%s</bdi></a>`, ben.ID, ben.Email))
	require.Contains(t, page.Body, `mail server answered 550`)
	file := b.browse(t, "/deliveries.csv?state=pending", me.Cookie, nil)
	require.Regexp(t, `^Message,By,To,State,Attempts,Last error,Next try,Made,Sent\ntask_due_soon,email,`+ann.Email+`,pending,12,,20[^,]+Z,20[^,]+Z,\n$`, file.Body)
	one := b.browse(t, fmt.Sprintf("/deliveries/%d/", ids[1]), me.Cookie, nil)
	require.Contains(t, one.Body, "<h1><bdi>task_due_soon by email</bdi></h1>")
	require.NotContains(t, one.Body, "/retry/", "support does not act")
	require.Equal(t, 404, b.browse(t, "/deliveries/4711/", me.Cookie, nil).Status)
	functiontest.Refused(t, b.Call(t, "GET", "/api/admin/deliveries/x/", me.Token, nil), 404)
}

func TestRetryDelivery(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me, ann := b.operator(t, adminRole), b.Person(t, "ann")
	id := b.message(t, ann, "push", "dead")
	path := fmt.Sprintf("/deliveries/%d/", id)
	require.Contains(t, b.browse(t, path, me.Cookie, nil).Body, path+"retry/")
	require.Contains(t, b.browse(t, path+"retry/", me.Cookie, nil).Body, "Send it again?")
	functiontest.Refused(t, b.Call(t, "POST", "/api/admin"+path+"retry/", b.operator(t, supportRole).Token, nil), 403)
	require.Empty(t, b.Events(t))

	done := b.act(t, path+"retry/", me)
	require.Equal(t, 303, done.Status, done.Body)
	require.Equal(t, "pending 0", functiontest.Value[string](t, b.Server, `SELECT concat_ws(' ', state, attempts, last_error) FROM notification_message`))
	require.True(t, functiontest.Value[bool](t, b.Server, `SELECT expires_at > now() AND next_at <= now() FROM notification_message`))
	require.Equal(t, []string{`com.myhoneydue.messages.left.v1 {"schedule_id": 1}`}, b.Events(t))
	require.Equal(t, "/functions/admin", functiontest.Value[string](t, b.Server, `SELECT source FROM outbox_event`))
	require.Equal(t, "deliveries", functiontest.Value[string](t, b.Server, `SELECT name FROM notification_schedule WHERE id = 1`))
	require.Equal(t, fmt.Sprintf(`%d retry deliveries/%d {"state": "dead", "attempts": 12} {"state": "pending", "attempts": 0} 127.0.0.1`, me.ID, id), b.lastAudit(t))

	require.Equal(t, 409, b.act(t, path+"retry/", me).Status)
	functiontest.Refused(t, b.Call(t, "POST", "/api/admin/deliveries/4711/retry/", me.Token, nil), 404)
	functiontest.Refused(t, b.Call(t, "POST", "/api/admin/deliveries/x/retry/", me.Token, nil), 404)
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM admin_audit`), "what was refused is not in the log")

	b.Exec(t, `UPDATE notification_message SET state = 'dead'`)
	b.once(t, me, path+"retry/", nil)
}

// once has two do the same at once: it happens once, and the log has it once more.
func (b *bundle) once(t *testing.T, as account, path string, body any) {
	t.Helper()
	before := functiontest.Value[int](t, b.Server, `SELECT count(*) FROM admin_audit`)
	statuses := functiontest.AtOnce(t, []string{as.Token, as.Token, as.Token}, func(token string) (functiontest.Response, error) {
		return b.Try("POST", "/api/admin"+path, token, body)
	})
	require.ElementsMatch(t, []int{200, 409, 409}, statuses)
	require.Equal(t, before+1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM admin_audit`))
}
