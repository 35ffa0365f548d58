package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/function/functiontest"
)

const newPassword = "nine slow otters"

func (b *bundle) forgot(t *testing.T, email string, headers ...functiontest.Header) functiontest.Response {
	t.Helper()
	return b.post(t, "forgot-password/", "", object{"email": email}, headers...)
}

func (b *bundle) reset(t *testing.T, email, digits, passphrase string) functiontest.Response {
	t.Helper()
	return b.post(t, "reset-password/", "", object{"email": email, "code": digits, "new_password": passphrase})
}

func TestResetPassword(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	second := b.signInAgain(t, "ann@example.com")
	stranger := b.register(t, "bob@example.com")
	b.alive(t, made.Token, true)
	b.alive(t, second, true)
	require.Equal(t, 202, b.forgot(t, " ANN@example.com").Status)
	require.Equal(t, 1, b.count(t, "user.password_reset_requested"))
	digits := b.digits(t, made.User.ID, code.ForResetPassword)
	require.Equal(t, 204, b.reset(t, "Ann@Example.com", digits, newPassword).Status)
	b.alive(t, made.Token, false)
	b.alive(t, second, false)
	b.alive(t, stranger.Token, true)
	require.Equal(t, 1, b.count(t, "user.password_changed"))
	functiontest.Refused(t, b.login(t, "ann@example.com", passphrase), 401)
	functiontest.Read[signedIn](t, b.login(t, "ann@example.com", newPassword), 200)
	functiontest.Read[signedIn](t, b.login(t, "bob@example.com", passphrase), 200)
	functiontest.Refused(t, b.reset(t, "ann@example.com", digits, passphrase), 400)
}

// A refused reset looks the same for a wrong, an expired, a used and an exhausted code and for an unknown account.
func TestResetFailuresAreAlike(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	require.Equal(t, 202, b.forgot(t, "ann@example.com").Status)
	digits := b.digits(t, made.User.ID, code.ForResetPassword)
	first := b.reset(t, "ann@example.com", other(digits), newPassword)
	functiontest.Refused(t, first, 400)
	refused := func(name, email string) {
		r := b.reset(t, email, digits, newPassword)
		require.Equal(t, string(first.Body), string(r.Body), name)
		require.Equal(t, first.Status, r.Status, name)
	}
	refused("unknown", "nobody@example.com")
	refused("no address", "nobody")
	b.Exec(t, `UPDATE auth_code SET tries = $1`, code.Tries)
	refused("exhausted", "ann@example.com")
	b.Exec(t, `UPDATE auth_code SET tries = 0, expires_at = now()`)
	refused("expired", "ann@example.com")
	b.Exec(t, `UPDATE auth_code SET expires_at = now() + interval '1 minute', used_at = now()`)
	refused("used", "ann@example.com")
	b.Exec(t, `UPDATE auth_code SET used_at = NULL`)
	for _, weak := range []string{"short", "password1", "ann@example.com"} {
		functiontest.Refused(t, b.reset(t, "ann@example.com", digits, weak), 422)
	}
	// The code for an address resets nothing.
	functiontest.Refused(t, b.reset(t, "ann@example.com", b.digits(t, made.User.ID, code.ForVerifyEmail), newPassword), 400)
	b.alive(t, made.Token, true)
	functiontest.Read[signedIn](t, b.login(t, "ann@example.com", passphrase), 200)
	require.Zero(t, b.count(t, "user.password_changed"))
}

func TestResetRace(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	for range 5 {
		b.Exec(t, `DELETE FROM shared_limit`)
		require.Equal(t, 202, b.forgot(t, "ann@example.com").Status)
		digits := b.digits(t, made.User.ID, code.ForResetPassword)
		statuses := make([]int, 4)
		var racers sync.WaitGroup
		for i := range statuses {
			racers.Go(func() {
				r, err := b.Try("POST", "/api/auth/reset-password/", "", object{"email": "ann@example.com", "code": digits, "new_password": newPassword})
				if err == nil {
					statuses[i] = r.Status
				}
			})
		}
		racers.Wait()
		require.ElementsMatch(t, []int{204, 400, 400, 400}, statuses)
	}
	require.Equal(t, 5, b.count(t, "user.password_changed"))
}

// A login with the old password at the moment of a reset leaves no session behind.
func TestResetAgainstLogin(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	for round := range 8 {
		b.Exec(t, `DELETE FROM shared_limit`)
		require.Equal(t, 202, b.forgot(t, "ann@example.com").Status)
		digits := b.digits(t, made.User.ID, code.ForResetPassword)
		before, after := fmt.Sprintf("%s %d", passphrase, round-1), fmt.Sprintf("%s %d", passphrase, round)
		if round == 0 {
			before = passphrase
		}
		var racers sync.WaitGroup
		for range 3 {
			racers.Go(func() {
				_, _ = b.Try("POST", "/api/auth/login/", "", object{"email": "ann@example.com", "password": before})
			})
		}
		require.Equal(t, 204, b.reset(t, "ann@example.com", digits, after).Status)
		racers.Wait()
		require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_session`))
	}
}

func TestForgotPasswordTellsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.register(t, "ann@example.com")
	for _, email := range []string{"ann@example.com", "nobody@example.com", "no address"} {
		r := b.forgot(t, email)
		require.Equal(t, 202, r.Status)
		require.Empty(t, r.Body)
	}
	require.Equal(t, 1, b.count(t, "user.password_reset_requested"))
	// More than an address' share is refused silently, more than a client's aloud.
	for i := range forgotOfEmail.Max + 2 {
		require.Equal(t, 202, b.forgot(t, "ann@example.com", from(fmt.Sprintf("192.0.2.%d", i))).Status)
	}
	require.Equal(t, forgotOfEmail.Max, b.count(t, "user.password_reset_requested"))
	for i := range forgotOfAddress.Max {
		require.Equal(t, 202, b.forgot(t, fmt.Sprintf("p%d@example.com", i), from("198.51.100.1")).Status)
	}
	retryAfter(t, b.forgot(t, "q@example.com", from("198.51.100.1")))
	require.Equal(t, 202, b.forgot(t, "q@example.com", from("198.51.100.2")).Status)
}

func TestResetLimit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range resetOfAddress.Max {
		functiontest.Refused(t, b.reset(t, "nobody@example.com", "123456", newPassword), 400)
	}
	retryAfter(t, b.reset(t, "nobody@example.com", "123456", newPassword))
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	second := b.signInAgain(t, "ann@example.com")
	b.alive(t, second, true)
	require.Equal(t, 202, b.forgot(t, "ann@example.com").Status)
	body := object{"current_password": "wrong password", "new_password": newPassword}
	r := b.post(t, "change-password/", made.Token, body)
	functiontest.Refused(t, r, 422)
	require.Contains(t, string(r.Body), "body.current_password")
	for _, weak := range []string{"short", "password1", "ANN@example.com", strings.Repeat("x", 129)} {
		functiontest.Refused(t, b.post(t, "change-password/", made.Token, object{"current_password": passphrase, "new_password": weak}), 422)
	}
	b.alive(t, second, true)
	require.Zero(t, b.count(t, "user.password_changed"))
	body["current_password"] = passphrase
	require.Equal(t, 204, b.post(t, "change-password/", made.Token, body).Status)
	b.alive(t, made.Token, true)
	b.alive(t, second, false)
	require.Equal(t, 1, b.count(t, "user.password_changed"))
	functiontest.Refused(t, b.login(t, "ann@example.com", passphrase), 401)
	functiontest.Read[signedIn](t, b.login(t, "ann@example.com", newPassword), 200)
	// A reset that was under way ends.
	functiontest.Refused(t, b.reset(t, "ann@example.com", b.digits(t, made.User.ID, code.ForResetPassword), passphrase), 400)
}

// A stolen token does not make guessing the password cheaper than login does.
func TestChangePasswordIsLimited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	for range loginOfAccount.Max {
		functiontest.Refused(t, b.post(t, "change-password/", made.Token, object{"current_password": "wrong", "new_password": newPassword}), 422)
	}
	retryAfter(t, b.post(t, "change-password/", made.Token, object{"current_password": passphrase, "new_password": newPassword}))
	retryAfter(t, b.post(t, "change-email/", made.Token, object{"password": passphrase, "new_email": "new@example.com"}))
	retryAfter(t, b.login(t, "ann@example.com", passphrase))
}

// Who has no password cannot prove it.
func TestNoPasswordIsNoProof(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.Person(t, "nopassword")
	functiontest.Refused(t, b.post(t, "change-password/", p.Token, object{"current_password": passphrase, "new_password": newPassword}), 422)
	functiontest.Refused(t, b.post(t, "change-email/", p.Token, object{"password": passphrase, "new_email": "new@example.com"}), 422)
	functiontest.Refused(t, b.deleteAccount(t, p.Token, passphrase), 422)
}
