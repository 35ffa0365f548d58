package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/page"
	"github.com/honeydue/backend/shared/problem"
)

const notices = "/api/notifications/"

// apple returns a token as iOS gives it, another one for every n.
func apple(n int) string { return fmt.Sprintf("%064x", n+1) }

func (b *bundle) device(t *testing.T, token string, body object) device {
	t.Helper()
	return functiontest.Read[device](t, b.Call(t, "POST", notices+"devices/", token, body), 201)
}

func (b *bundle) devices(t *testing.T, token string) []device {
	t.Helper()
	return functiontest.Read[page.List[device]](t, b.Call(t, "GET", notices+"devices/", token, nil), 200).Results
}

func TestDevices(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann := b.register(t, "ann@example.com")
	second := b.signInAgain(t, "ann@example.com")
	require.JSONEq(t, `{"results": [], "next_cursor": null}`, string(b.Call(t, "GET", notices+"devices/", ann.Token, nil).Body))

	phone := b.device(t, ann.Token, object{"platform": "ios", "token": strings.ToUpper(apple(10)), "name": " Ann's phone ", "app_version": "2.4.1"})
	require.Equal(t, "Ann's phone", *phone.Name)
	require.True(t, phone.Current)
	require.Equal(t, phone.CreatedAt, phone.RegisteredAt)
	tablet := b.device(t, second, object{"platform": "android", "token": strings.Repeat("fcm:_-~!", 256)})
	require.Nil(t, tablet.Name)
	phone.Current = false
	require.Equal(t, []device{tablet, phone}, b.devices(t, second), "newest first")

	again := b.device(t, second, object{"platform": "ios", "token": apple(10)})
	require.Equal(t, phone.ID, again.ID, "the same token in another spelling")
	require.Equal(t, phone.CreatedAt, again.CreatedAt)
	require.True(t, again.RegisteredAt.After(phone.RegisteredAt))
	require.Nil(t, again.Name)
	require.True(t, again.Current, "the session that sent it last has it")

	first := functiontest.Read[page.List[device]](t, b.Call(t, "GET", notices+"devices/?limit=1", second, nil), 200)
	rest := functiontest.Read[page.List[device]](t, b.Call(t, "GET", notices+"devices/?limit=1&cursor="+*first.NextCursor, second, nil), 200)
	require.Equal(t, []device{tablet, again}, append(first.Results, rest.Results...))
	require.Nil(t, rest.NextCursor)

	require.NotContains(t, string(b.Call(t, "GET", notices+"devices/", second, nil).Body), apple(10))
	require.Equal(t, 204, b.Call(t, "DELETE", fmt.Sprint(notices, "devices/", tablet.ID, "/"), ann.Token, nil).Status)
	functiontest.Refused(t, b.Call(t, "DELETE", fmt.Sprint(notices, "devices/", tablet.ID, "/"), ann.Token, nil), 404)
	require.Len(t, b.devices(t, ann.Token), 1)
}

func TestDeviceOfSomebodyElse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann, bob := b.person(t, "ann"), b.person(t, "bob")
	hers := b.device(t, ann.Token, object{"platform": "ios", "token": apple(1)})
	functiontest.Refused(t, b.Call(t, "DELETE", fmt.Sprint(notices, "devices/", hers.ID, "/"), bob.Token, nil), 404)
	require.Len(t, b.devices(t, ann.Token), 1)
	require.Empty(t, b.devices(t, bob.Token))

	his := b.device(t, bob.Token, object{"platform": "ios", "token": apple(1)})
	require.Greater(t, his.ID, hers.ID, "what is said of the old one late is not of the new one")
	require.Empty(t, b.devices(t, ann.Token), "the phone is his now")
	require.Equal(t, []device{his}, b.devices(t, bob.Token))
}

// A phone gets pushes no longer than its session lives, however that ends.
func TestDeviceEndsWithItsSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, end := range map[string]func(t *testing.T, made signedIn, other string){
		"logout": func(t *testing.T, made signedIn, _ string) {
			t.Helper()
			require.Equal(t, 204, b.post(t, "logout/", made.Token, nil).Status)
		},
		"ended": func(t *testing.T, made signedIn, other string) {
			t.Helper()
			id := functiontest.Value[int64](t, b.Server, `SELECT id FROM auth_session WHERE token_hash = $1`, hashOf(made.Token))
			require.Equal(t, 204, b.Call(t, "DELETE", fmt.Sprint("/api/auth/sessions/", id, "/"), other, nil).Status)
		},
		"others": func(t *testing.T, _ signedIn, other string) {
			t.Helper()
			require.Equal(t, 204, b.Call(t, "DELETE", "/api/auth/sessions/", other, nil).Status)
		},
		"password": func(t *testing.T, _ signedIn, other string) {
			t.Helper()
			require.Equal(t, 204, b.post(t, "change-password/", other, object{"current_password": passphrase, "new_password": newPassword}).Status)
		},
		"reset": func(t *testing.T, made signedIn, _ string) {
			t.Helper()
			require.Equal(t, 202, b.forgot(t, made.User.Email).Status)
			require.Equal(t, 204, b.reset(t, made.User.Email, b.digits(t, made.User.ID, code.ForResetPassword), newPassword).Status)
		},
		"account": func(t *testing.T, made signedIn, _ string) {
			t.Helper()
			require.Equal(t, 202, b.deleteAccount(t, made.Token, passphrase).Status)
		},
	} {
		made := b.register(t, name+"@example.com")
		other := b.signInAgain(t, made.User.Email)
		gone, kept := b.device(t, made.Token, object{"platform": "ios", "token": apple(1)}), b.device(t, other, object{"platform": "ios", "token": apple(2)})
		end(t, made, other)
		left := functiontest.Value[[]int64](t, b.Server, `SELECT coalesce(array_agg(id), '{}') FROM auth_device WHERE user_id = $1`, made.User.ID)
		require.NotContains(t, left, gone.ID, name)
		if name != "reset" && name != "account" {
			require.Equal(t, []int64{kept.ID}, left, name)
		}
	}
}

// A token that outlives its session for a moment registers nothing, and takes no phone from anybody.
func TestDeviceOfAnEndedSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann, bob := b.person(t, "ann"), b.person(t, "bob")
	hers := b.device(t, ann.Token, object{"platform": "ios", "token": apple(1)})
	b.cached(t, bob.Token)
	b.Exec(t, `DELETE FROM auth_session WHERE user_id = $1`, bob.ID)
	functiontest.Refused(t, b.Call(t, "POST", notices+"devices/", bob.Token, object{"platform": "ios", "token": apple(1)}), 401)
	hers.Current = true
	require.Equal(t, []device{hers}, b.devices(t, ann.Token))
}

func TestDevicesAreFew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann := b.person(t, "ann")
	var ids []int64
	for n := range maxDevices {
		ids = append(ids, b.device(t, ann.Token, object{"platform": "ios", "token": apple(n)}).ID)
	}
	b.device(t, ann.Token, object{"platform": "ios", "token": apple(0)}) // the oldest is the latest now
	newest := b.device(t, ann.Token, object{"platform": "ios", "token": apple(maxDevices)})
	var left []int64
	for _, d := range b.devices(t, ann.Token) {
		left = append(left, d.ID)
	}
	require.Len(t, left, maxDevices)
	require.Contains(t, left, newest.ID)
	require.Contains(t, left, ids[0])
	require.NotContains(t, left, ids[1])

	var tokens []string
	for n := range 8 {
		tokens = append(tokens, apple(100+n))
	}
	statuses := functiontest.AtOnce(t, tokens, func(token string) (functiontest.Response, error) {
		return b.Try("POST", notices+"devices/", ann.Token, object{"platform": "ios", "token": token})
	})
	for _, status := range statuses {
		require.Equal(t, 201, status)
	}
	require.Len(t, b.devices(t, ann.Token), maxDevices, "also of those that came at once")
}

func TestBadDevices(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann := b.person(t, "ann")
	for body, location := range map[string]string{
		`{"platform": "ios", "token": "secret"}`:                                                       "body.token",
		`{"platform": "ios", "token": "` + strings.Repeat("a", 63) + `"}`:                              "body.token",
		`{"platform": "ios", "token": "` + strings.Repeat("a", 201) + `"}`:                             "body.token",
		`{"platform": "ios", "token": "` + strings.Repeat("secret", 20) + `"}`:                         "body.token",
		`{"platform": "android", "token": ""}`:                                                         "body.token",
		`{"platform": "android", "token": "sec ret"}`:                                                  "body.token",
		`{"platform": "android", "token": "secrét"}`:                                                   "body.token",
		`{"platform": "android", "token": "secret\n"}`:                                                 "body.token",
		`{"platform": "android", "token": "` + strings.Repeat("x", 2049) + `"}`:                        "body.token",
		`{"platform": "android", "token": 7}`:                                                          "body.token",
		`{"platform": "secret", "token": "x"}`:                                                         "body.platform",
		`{"token": "secret"}`:                                                                          "body",
		`{"platform": "android"}`:                                                                      "body",
		`{"platform": "android", "token": "x", "name": "sec\u0007ret"}`:                                "body.name",
		`{"platform": "android", "token": "x", "name": "` + strings.Repeat("secret", 20) + `"}`:        "body.name",
		`{"platform": "android", "token": "x", "app_version": "secret secret"}`:                        "body.app_version",
		`{"platform": "android", "token": "x", "app_version": "` + strings.Repeat("secret", 20) + `"}`: "body.app_version",
		`{"platform": "android", "token": "x", "secret": 1}`:                                           "body",
	} {
		r := b.Call(t, "POST", notices+"devices/", ann.Token, body)
		require.Equal(t, location, functiontest.Read[problem.Problem](t, r, 422).Errors[0].Location, "%s: %s", body, r.Body)
		require.NotContains(t, string(r.Body), "secret")
	}
	require.Empty(t, b.devices(t, ann.Token))
}
