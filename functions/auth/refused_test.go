package main

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// Every operation that needs a token refuses a call without one, and with one that nobody has.
func TestRefusedWithoutToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, call := range []struct{ method, path string }{
		{"GET", notices}, {"POST", notices + "1/read/"}, {"POST", notices + "read-all/"}, {"GET", notices + "preferences/"}, {"PATCH", notices + "preferences/"},
		{"GET", notices + "devices/"}, {"POST", notices + "devices/"}, {"DELETE", notices + "devices/1/"},
		{"POST", "logout/"}, {"GET", "me/"}, {"PATCH", "me/"}, {"POST", "verify-email/"}, {"POST", "resend-verification/"},
		{"POST", "change-password/"}, {"POST", "change-email/"}, {"GET", "sessions/"}, {"DELETE", "sessions/1/"}, {"DELETE", "sessions/"},
		{"DELETE", "account/"}, {"GET", "export/"},
	} {
		path := call.path
		if !strings.HasPrefix(path, notices) {
			path = "/api/auth/" + path
		}
		for _, token := range []string{"", "hd_" + strings.Repeat("A", 43), "secret"} {
			r := b.Call(t, call.method, path, token, nil)
			functiontest.Refused(t, r, 401)
			require.Equal(t, []string{"Token"}, r.Header.Values("Www-Authenticate"), path)
		}
	}
}

// A session that has ended signs nobody in.
func TestExpiredSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	b.Exec(t, `UPDATE auth_session SET expires_at = now()`)
	b.alive(t, made.Token, false)
}

func TestMalformedBodies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	events := len(b.Events(t))
	for _, path := range []string{
		"register/", "login/", "verify-email/", "forgot-password/", "reset-password/", "change-password/", "change-email/",
	} {
		for _, body := range []string{
			``, `null`, `[]`, `{`, `{"secret":1}`, `{"email":"secret","email":"secret"}`, `{"email":{"secret":1}}`,
			`{"code":1e400}`, `{"password":"secret\u0000"}`, "{\"email\":\"secret\xff\"}",
			strings.Repeat(`{"email":`, 40) + `1` + strings.Repeat(`}`, 40),
		} {
			r := b.post(t, path, made.Token, body)
			require.Contains(t, []int{400, 422}, r.Status, "%s %s: %s", path, body, r.Body)
			require.NotContains(t, string(r.Body), "secret")
		}
		functiontest.Refused(t, b.post(t, path, made.Token, `{}`, functiontest.Header{Name: "Content-Type", Value: "text/plain"}), 415)
	}
	require.Len(t, b.Events(t), events)
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_code`))
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT max(tries) FROM auth_code`))
}

// lines collects what is logged.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// No line of the log and no body of a refusal holds a password, a token, a code or an address, whatever happens.
func TestSecretsAreNotLogged(t *testing.T) {
	t.Parallel()
	logged := &lines{}
	b := &bundle{}
	b.Server = functiontest.Start(t, "auth", func(base *function.Base) func(huma.API) {
		base.Log = slog.New(slog.NewJSONHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
		base.Outbox.Log = base.Log
		return b.routes(base)
	})
	made := b.register(t, "ann@example.com")
	again := b.signInAgain(t, "ann@example.com")
	first := b.digits(t, made.User.ID, code.ForVerifyEmail)
	b.verify(t, made.Token, other(first))
	b.verify(t, made.Token, first)
	b.device(t, again, object{"platform": "android", "token": "a-phone's-token"})
	functiontest.Refused(t, b.Call(t, "POST", notices+"devices/", again, object{"platform": "ios", "token": "a-phone's-token"}), 422)
	b.Exec(t, `ALTER TABLE auth_device ADD CHECK (token = '') NOT VALID`)
	functiontest.Refused(t, b.Call(t, "POST", notices+"devices/", again, object{"platform": "android", "token": "a-phone's-token-2"}), 500)
	link := codeKey().Unsubscribe(made.User.ID, "task_overdue")
	require.Equal(t, 204, b.Call(t, "POST", linkOf(link), "", nil).Status)
	b.login(t, "ann@example.com", "a wrong password", from("203.0.113.77"))
	b.register(t, "bob@example.com")
	b.changeEmail(t, made.Token, "bob@example.com", passphrase)
	change := b.digits(t, made.User.ID, code.ForChangeEmail)
	functiontest.Refused(t, b.verify(t, made.Token, change), 409)
	functiontest.Refused(t, b.post(t, "register/", "", object{"email": "ann@example.com", "password": passphrase}), 409)
	b.forgot(t, "ann@example.com")
	reset := b.digits(t, made.User.ID, code.ForResetPassword)
	b.post(t, "change-password/", made.Token, object{"current_password": "a wrong password", "new_password": newPassword})
	require.Equal(t, 204, b.reset(t, "ann@example.com", reset, newPassword).Status)
	b.Exec(t, `UPDATE auth_user SET password_hash = 'unreadable'`)
	functiontest.Refused(t, b.login(t, "ann@example.com", newPassword), 500)
	b.Exec(t, `ALTER TABLE auth_session RENAME TO gone`)
	functiontest.Refused(t, b.get(t, "me/", again), 500)

	text := logged.String()
	require.Greater(t, strings.Count(text, "\n"), 15)
	require.Contains(t, text, `"route":"/api/auth/login`)
	for name, secret := range map[string]string{
		"password": passphrase, "new password": newPassword, "wrong password": "a wrong password",
		"token": made.Token[3:], "second token": again[3:], "code": `"` + first, "change code": `"` + change, "reset code": `"` + reset,
		"address": "@example.com", "client": "203.0.113.77", "hash": "argon2id$", "stored": "unreadable",
		"device": "a-phone's-token", "link": link,
	} {
		require.NotContains(t, text, secret, name)
	}
}
