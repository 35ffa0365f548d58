package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/page"
	"github.com/honeydue/backend/shared/pg"
)

// call asks the function what an operator asks, and reads an answer of that status.
func call[T any](t *testing.T, b *bundle, method, path string, status int) T {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.url+path, http.NoBody)
	require.NoError(t, err)
	res, err := devtest.Client.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	require.Equal(t, status, res.StatusCode)
	typ := "application/json"
	if status >= 400 {
		typ = "application/problem+json"
	}
	require.Equal(t, typ, res.Header.Get("Content-Type"))
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	var answer T
	require.NoError(t, json.NewDecoder(res.Body).Decode(&answer))
	return answer
}

func TestMessagesAreListed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mail.refuse("rcpt", 550)
	id := b.assigned(t)
	b.done(t, id)
	dead := call[page.List[entry]](t, b, "GET", "/messages/?state=dead", 200)
	require.Len(t, dead.Results, 1)
	got := dead.Results[0]
	require.Equal(t, entry{
		ID: b.mailID(t), EventID: &id, UserID: b.ben.ID, Channel: "email", Type: "task_assigned", State: "dead", Attempts: 1,
		LastError: got.LastError, CreatedAt: got.CreatedAt, ClaimedAt: got.ClaimedAt, ExpiresAt: got.ExpiresAt,
	}, got)
	require.Contains(t, *got.LastError, "550")
	require.NotContains(t, *got.LastError, "@")
	require.False(t, got.ClaimedAt.Before(got.CreatedAt))

	all := call[page.List[entry]](t, b, "GET", "/messages/", 200)
	require.Len(t, all.Results, 2)
	channels := []string{all.Results[0].Channel, all.Results[1].Channel}
	require.ElementsMatch(t, []string{"app", "email"}, channels)
	require.Empty(t, call[page.List[entry]](t, b, "GET", "/messages/?state=pending", 200).Results)
	call[map[string]any](t, b, "GET", "/messages/?state=lost", 422)
	call[map[string]any](t, b, "GET", "/messages/?cursor=%21", 422)

	b.backlog(t, 60)
	first := call[page.List[entry]](t, b, "GET", "/messages/?state=pending", 200)
	require.Len(t, first.Results, 50)
	require.NotNil(t, first.Results[0].NextAt)
	rest := call[page.List[entry]](t, b, "GET", "/messages/?state=pending&cursor="+*first.NextCursor, 200)
	require.Len(t, rest.Results, 10)
	require.Nil(t, rest.NextCursor)
	require.Less(t, rest.Results[0].ID, first.Results[49].ID)
}

func TestADeadMessageIsSentAgainUnderItsID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.mail.refuse("rcpt", 550)
	b.done(t, b.assigned(t))
	id := b.mailID(t)
	b.mail.set(nil)
	b.Exec(t, `UPDATE notification_message SET expires_at = now() - interval '1 hour', attempts = 12 WHERE id = $1`, id)
	path := "/messages/" + strconv.FormatInt(id, 10) + "/replay/"

	again := call[entry](t, b, "POST", path, 200)
	require.Equal(t, id, again.ID)
	require.Equal(t, "pending", again.State)
	require.Zero(t, again.Attempts)
	require.Nil(t, again.LastError)
	require.True(t, again.ExpiresAt.After(time.Now()))
	call[map[string]any](t, b, "POST", path, 404)
	call[map[string]any](t, b, "POST", "/messages/4711/replay/", 404)
	call[map[string]any](t, b, "POST", "/messages/x/replay/", 404)

	left := functiontest.Value[string](t, b.Server, `SELECT id::text FROM outbox_event WHERE type = 'com.myhoneydue.messages.left.v1'`)
	require.Equal(t, http.StatusNoContent, b.deliver(t, left, ""))
	require.Equal(t, "sent 1", b.row(t))
	mail := b.mail.one(t)
	require.Contains(t, mail.header.Get("Message-ID"), "message."+strconv.FormatInt(id, 10)+".")
	call[map[string]any](t, b, "POST", path, 404)
}

func TestMessagesWithoutPostgres(t *testing.T) {
	t.Parallel()
	b := setup(t)
	down, err := pg.Open(t.Context(), pg.Config{URL: "postgres://honeydue_notifications@127.0.0.1:1/honeydue", PoolSize: 4})
	require.NoError(t, err)
	t.Cleanup(down.Close)
	b.service.db = down
	server := httptest.NewServer(b.service.handler())
	t.Cleanup(server.Close)
	b.url = server.URL
	call[map[string]any](t, b, "GET", "/messages/", 503)
	call[map[string]any](t, b, "POST", "/messages/1/replay/", 503)
}
