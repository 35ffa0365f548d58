package main

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/page"
)

func hashOf(token string) []byte { return authn.Hash(token) }

// signInAgain opens another session of the person that register made.
func (b *bundle) signInAgain(t *testing.T, email string) string {
	t.Helper()
	return functiontest.Read[signedIn](t, b.login(t, email, passphrase), 200).Token
}

func TestLogout(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	second := b.signInAgain(t, "ann@example.com")
	b.alive(t, made.Token, true) // and now it is in the cache
	require.Equal(t, 204, b.post(t, "logout/", made.Token, nil).Status)
	b.alive(t, made.Token, false)
	b.alive(t, second, true)
	functiontest.Refused(t, b.post(t, "logout/", made.Token, nil), 401)
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_session`))
}

// A token dies on every process at once: here two share the database and Redis.
func TestLogoutEverywhere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	elsewhere := &bundle{}
	elsewhere.Server = functiontest.StartOn(t, b.DB, "auth", elsewhere.routes)
	made := b.register(t, "ann@example.com")
	elsewhere.alive(t, made.Token, true)
	require.Equal(t, 204, b.post(t, "logout/", made.Token, nil).Status)
	elsewhere.alive(t, made.Token, false)
}

func TestLogoutWithoutRedis(t *testing.T) {
	t.Parallel()
	servers := devtest.NewServers(t)
	b := &bundle{}
	b.Server = functiontest.StartOn(t, servers.New(t), "auth", b.routes)
	made := b.register(t, "ann@example.com")
	b.alive(t, made.Token, true)
	require.NoError(t, servers.Redis.Stop(t.Context()))
	second := b.signInAgain(t, "ann@example.com")
	b.alive(t, second, true)
	require.Equal(t, 204, b.post(t, "logout/", made.Token, nil).Status)
	b.alive(t, made.Token, false)
	b.alive(t, second, true)
	require.Equal(t, 204, b.Call(t, "DELETE", "/api/auth/sessions/", second, nil).Status)
	b.alive(t, second, true)
}

func TestListSessions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	b.register(t, "bob@example.com")
	for i := range 3 {
		functiontest.Read[signedIn](t, b.post(t, "login/", "", object{"email": "ann@example.com", "password": passphrase, "device_name": fmt.Sprintf("Device %d", i)}), 200)
	}
	b.Exec(t, `INSERT INTO auth_session (user_id, token_hash, expires_at) VALUES ($1, 'ended', now() - interval '1 hour')`, made.User.ID)
	all := functiontest.Read[page.List[session]](t, b.get(t, "sessions/", made.Token), 200)
	require.Len(t, all.Results, 4)
	require.Nil(t, all.NextCursor)
	require.Equal(t, "Device 2", all.Results[0].DeviceName)
	require.False(t, all.Results[0].Current)
	require.True(t, all.Results[3].Current)
	require.WithinDuration(t, time.Now().Add(authn.SessionLife), all.Results[3].ExpiresAt, time.Minute)
	require.NotContains(t, string(b.get(t, "sessions/", made.Token).Body), "hash")

	first := functiontest.Read[page.List[session]](t, b.get(t, "sessions/?limit=3", made.Token), 200)
	require.Equal(t, all.Results[:3], first.Results)
	second := functiontest.Read[page.List[session]](t, b.get(t, "sessions/?limit=3&cursor="+url.QueryEscape(*first.NextCursor), made.Token), 200)
	require.Equal(t, all.Results[3:], second.Results)
	require.Nil(t, second.NextCursor)
	for _, query := range []string{"?limit=0", "?limit=101", "?cursor=secret", "?limit=secret", "?secret=1"} {
		r := b.get(t, "sessions/"+query, made.Token)
		functiontest.Refused(t, r, 422)
		require.NotContains(t, string(r.Body), "secret")
	}
}

func TestDeleteSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	second := b.signInAgain(t, "ann@example.com")
	stranger := b.register(t, "bob@example.com")
	b.alive(t, second, true)
	path := "/api/auth/sessions/2/"
	functiontest.Refused(t, b.Call(t, "DELETE", path, stranger.Token, nil), 404)
	functiontest.Refused(t, b.Call(t, "DELETE", "/api/auth/sessions/99/", made.Token, nil), 404)
	functiontest.Refused(t, b.Call(t, "DELETE", "/api/auth/sessions/0/", made.Token, nil), 422)
	functiontest.Refused(t, b.Call(t, "DELETE", "/api/auth/sessions/99999999999999999999/", made.Token, nil), 422)
	functiontest.Refused(t, b.Call(t, "DELETE", path+"typo/", made.Token, nil), 404)
	b.alive(t, second, true)
	require.Equal(t, 204, b.Call(t, "DELETE", path, made.Token, nil).Status)
	b.alive(t, second, false)
	functiontest.Refused(t, b.Call(t, "DELETE", path, made.Token, nil), 404)
	// One's own session may be ended like any other.
	require.Equal(t, 204, b.Call(t, "DELETE", "/api/auth/sessions/1", made.Token, nil).Status)
	b.alive(t, made.Token, false)
	b.alive(t, stranger.Token, true)
}

func TestDeleteOtherSessions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	stranger := b.register(t, "bob@example.com")
	second, third := b.signInAgain(t, "ann@example.com"), b.signInAgain(t, "ann@example.com")
	for _, token := range []string{made.Token, second, third} {
		b.alive(t, token, true)
	}
	require.Equal(t, 204, b.Call(t, "DELETE", "/api/auth/sessions/", second, nil).Status)
	b.alive(t, made.Token, false)
	b.alive(t, second, true)
	b.alive(t, third, false)
	b.alive(t, stranger.Token, true)
}
