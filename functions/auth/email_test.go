package main

import (
	"fmt"
	"net/mail"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/function/functiontest"
)

func (b *bundle) changeEmail(t *testing.T, token, email, passphrase string) functiontest.Response {
	t.Helper()
	return b.post(t, "change-email/", token, object{"new_email": email, "password": passphrase})
}

func TestChangeEmail(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	functiontest.Refused(t, b.changeEmail(t, made.Token, "new@example.com", "wrong password"), 422)
	functiontest.Refused(t, b.changeEmail(t, made.Token, "not an address", passphrase), 422)
	functiontest.Refused(t, b.changeEmail(t, made.Token, "ann@example.com", passphrase), 422)
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_code`))

	require.Equal(t, 202, b.changeEmail(t, made.Token, "New@example.com", passphrase).Status)
	require.Equal(t, 2, b.count(t, "user.verification_requested"))
	require.Equal(t, "New@example.com", functiontest.Value[string](t, b.Server, `SELECT new_email FROM auth_code WHERE purpose = 'change_email'`))
	require.Equal(t, made.User, functiontest.Read[user](t, b.get(t, "me/", made.Token), 200), "nothing changes before the proof")
	require.Equal(t, 202, b.forgot(t, "ann@example.com").Status)

	// The account's first address was not proved yet either: resending is for both.
	require.Equal(t, 202, b.post(t, "resend-verification/", made.Token, nil).Status)
	require.Equal(t, 4, b.count(t, "user.verification_requested"))
	require.Equal(t, 2, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_code WHERE expires_at > now() AND purpose <> 'reset_password'`))

	want := made.User
	want.Email, want.EmailVerified = "New@example.com", true
	digits := b.digits(t, made.User.ID, code.ForChangeEmail)
	require.Equal(t, want, functiontest.Read[verified](t, b.verify(t, made.Token, digits), 200).User)
	require.Equal(t, "ann@example.com", functiontest.Value[string](t, b.Server, `SELECT old_email FROM auth_email_change`))
	require.Contains(t, b.Events(t)[len(b.Events(t))-1], fmt.Sprintf(`user.email_changed.v1 {"user_id": %d, "change_id": 1}`, made.User.ID))
	functiontest.Refused(t, b.verify(t, made.Token, digits), 400)
	// Codes that went to the old address end with it.
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_code WHERE expires_at > now() AND used_at IS NULL`))
	functiontest.Refused(t, b.login(t, "ann@example.com", passphrase), 401)
	functiontest.Read[signedIn](t, b.login(t, "new@example.com", passphrase), 200)
	require.Equal(t, 202, b.post(t, "resend-verification/", made.Token, nil).Status)
	require.Equal(t, 4, b.count(t, "user.verification_requested"))
}

// Whether an address is taken is told only to whoever can read its mail.
func TestChangeToTakenEmail(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	b.register(t, "bob@example.com")
	require.Equal(t, 202, b.changeEmail(t, made.Token, "BOB@example.com", passphrase).Status)
	digits := b.digits(t, made.User.ID, code.ForChangeEmail)
	functiontest.Refused(t, b.verify(t, made.Token, digits), 409)
	require.Equal(t, "ann@example.com", functiontest.Read[user](t, b.get(t, "me/", made.Token), 200).Email)
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_email_change`))
	require.Zero(t, b.count(t, "user.email_changed"))
}

func TestChangeEmailIsLimited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	for i := range codesOfPerson.Max {
		require.Equal(t, 202, b.changeEmail(t, made.Token, fmt.Sprintf("n%d@example.com", i), passphrase).Status)
	}
	retryAfter(t, b.changeEmail(t, made.Token, "more@example.com", passphrase))
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_code WHERE purpose = 'change_email' AND expires_at > now()`))
}

// A change that was never proved is forgotten.
func TestOldChangeIsNotResent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	functiontest.Read[verified](t, b.verify(t, made.Token, b.digits(t, made.User.ID, code.ForVerifyEmail)), 200)
	require.Equal(t, 202, b.changeEmail(t, made.Token, "new@example.com", passphrase).Status)
	b.Exec(t, `UPDATE auth_code SET expires_at = now() WHERE purpose = 'change_email'`)
	require.Equal(t, 202, b.post(t, "resend-verification/", made.Token, nil).Status)
	require.Equal(t, 3, b.count(t, "user.verification_requested"), "expired, and still wanted")
	b.Exec(t, `UPDATE auth_code SET created_at = now() - interval '61 minutes'`)
	require.Equal(t, 202, b.post(t, "resend-verification/", made.Token, nil).Status)
	require.Equal(t, 3, b.count(t, "user.verification_requested"))
}

// An address that is taken is one that a mail can be sent to as it stands.
func FuzzParseEmail(f *testing.F) {
	for _, seed := range []string{"ann@example.com", `"a b"@example.com`, "a@b.c\r\nBcc: d@e.f", "a@[::1]", "ä@example.com", "a+b@x-y.example", "a@-b.com"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		email, err := parseEmail("body.email", text)
		if err != nil {
			require.NotContains(t, err.Error(), "\x00")
			return
		}
		parsed, err := mail.ParseAddress("Somebody <" + email + ">")
		require.NoError(t, err)
		require.Equal(t, email, parsed.Address)
		require.LessOrEqual(t, len(email), maxEmail)
		require.False(t, strings.ContainsAny(email, " \r\n<>\","))
		require.Equal(t, folded(email), folded(" "+strings.ToUpper(email)+" "))
	})
}
