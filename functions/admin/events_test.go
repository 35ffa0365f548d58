package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
)

// happened makes an event so long ago with its delivery to notifications, and returns the path of its page.
func (b *bundle) happened(t *testing.T, state string, ago time.Duration) string {
	t.Helper()
	id, err := uuid.NewV7()
	require.NoError(t, err)
	b.Exec(t, `INSERT INTO outbox_event (id, type, source, subject, time, data)
		VALUES ($1::uuid, 'com.myhoneydue.task.completed.v1', '/functions/tasks', 'tasks/7', now() - make_interval(secs => $2), '{"task_id": 7}')`, id.String(), ago.Seconds())
	b.Exec(t, `INSERT INTO outbox_delivery (event_id, consumer, state, attempts, publications, next_at, reason, done_at)
		VALUES ($1::uuid, 'notifications', $2, 12, 3, now(), CASE WHEN $2 = 'dead' THEN 'attempts are used up' END, CASE WHEN $2 = 'done' THEN now() END)`, id.String(), state)
	return "/" + eventSubject(id, "notifications") + "/"
}

func TestEvents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.operator(t, supportRole)
	var paths []string
	for i, state := range []string{"dead", "pending", "done", "dead", "pending", "pending"} {
		ago := time.Hour
		if i == 5 {
			ago = time.Second // on its way
		}
		paths = append(paths, b.happened(t, state, ago))
	}
	// Another function has the same event.
	b.Exec(t, `INSERT INTO outbox_delivery (event_id, consumer, state, next_at) SELECT event_id, 'auth', 'dead', now() FROM outbox_delivery WHERE state = 'done'`)
	other := paths[2][:len("/events/")+36] + "-auth/"
	for query, want := range map[string][]string{
		"?":               {paths[4], paths[3], other, paths[1], paths[0]},
		"?state=dead&":    {paths[3], other, paths[0]},
		"?state=pending&": {paths[4], paths[1]},
	} {
		for _, limit := range []int{1, 2, 50} {
			var found []string
			for _, u := range all[undelivered](t, b, me, "/api/admin/events/"+query, limit) {
				found = append(found, "/events/"+u.id()+"/")
			}
			require.Equal(t, want, found, query)
		}
	}
	page := b.browse(t, "/events/", me.Cookie, nil)
	require.Contains(t, page.Body, `<a href="`+paths[0]+`"><bdi>com.myhoneydue.task.completed.v1</bdi></a>`)
	require.Contains(t, page.Body, "attempts are used up")
	file := b.browse(t, "/events.csv?state=dead", me.Cookie, nil)
	require.Contains(t, file.Body, "com.myhoneydue.task.completed.v1,notifications,tasks/7,dead,12,3,attempts are used up,,20")
	one := b.browse(t, paths[2], me.Cookie, nil)
	require.Equal(t, 200, one.Status, one.Body)
	require.Contains(t, one.Body, "&#34;task_id&#34;: 7")
	found := functiontest.Read[undelivered](t, b.Call(t, "GET", "/api/admin"+paths[2], me.Token, nil), 200)
	require.JSONEq(t, `{"task_id": 7}`, string(found.Data))
	for _, nobody := range []string{"/events/x/", "/events/" + uuid.NewString() + "-notifications/", paths[0][:len(paths[0])-1] + "x/", "/events/" + uuid.NewString() + "/"} {
		require.Equal(t, 404, b.browse(t, nobody, me.Cookie, nil).Status, nobody)
	}
	functiontest.Refused(t, b.Call(t, "GET", "/api/admin/events/?cursor="+mark{Key: "x"}.String(), me.Token, nil), 422)
}

func TestReplayEvent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	published := make(chan http.Header, 10)
	broker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		published <- r.Header.Clone()
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(broker.Close)
	b.Base.Outbox.Publisher.Sink = broker.URL
	me := b.operator(t, adminRole)
	path := b.happened(t, "dead", time.Hour)
	state := func() string {
		return functiontest.Value[string](t, b.Server, `SELECT concat_ws(' ', state, attempts, reason) FROM outbox_delivery WHERE event_id = $1::uuid`, path[len("/events/"):][:36])
	}
	functiontest.Refused(t, b.Call(t, "POST", "/api/admin"+path+"replay/", b.operator(t, supportRole).Token, nil), 403)
	require.Equal(t, "dead 12 attempts are used up", state())

	done := b.act(t, path+"replay/", me)
	require.Equal(t, 303, done.Status, done.Body)
	require.Equal(t, "pending 0", state())
	header := <-published
	require.Equal(t, path[len("/events/"):][:36], header.Get("Ce-Id"))
	require.Equal(t, "com.myhoneydue.task.completed.v1", header.Get("Ce-Type"))
	require.Equal(t, "/functions/tasks", header.Get("Ce-Source"))
	require.Equal(t, fmt.Sprintf(`%d replay %s {"state": "dead", "attempts": 12} {"state": "pending", "attempts": 0} 127.0.0.1`, me.ID, path[1:len(path)-1]), b.lastAudit(t))
	require.Eventually(t, func() bool { // so that the relay does not send it at once again
		var publications int
		err := b.Owner.QueryRow(context.Background(), `SELECT publications FROM outbox_delivery`).Scan(&publications)
		return err == nil && publications == 1
	}, 10*time.Second, 10*time.Millisecond)

	require.Equal(t, 409, b.act(t, path+"replay/", me).Status)
	functiontest.Refused(t, b.Call(t, "POST", "/api/admin/events/"+uuid.NewString()+"-notifications/replay/", me.Token, nil), 404)
	functiontest.Refused(t, b.Call(t, "POST", "/api/admin/events/x/replay/", me.Token, nil), 404)

	b.once(t, me, b.happened(t, "done", time.Minute)+"replay/", nil)
	<-published
	require.Empty(t, published, "one of three was done, and published once")

	// A broker that is away is the relay's to wait for.
	broker.Close()
	path = b.happened(t, "dead", time.Hour)
	require.Equal(t, 303, b.act(t, path+"replay/", me).Status)
	require.Equal(t, "pending 0", state())
}
