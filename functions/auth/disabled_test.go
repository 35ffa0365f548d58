package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/limit"
	"github.com/honeydue/backend/shared/password"
	"github.com/honeydue/backend/shared/pg"
)

// Only who knows the password learns that the account is disabled, and that costs no try.
func TestLoginToADisabledAccount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.operator(t)
	ann := b.person(t, "ann")
	wrong := b.login(t, ann.Email, "wrong password")
	o.disables(t, ann)
	for range loginOfAccount.Max + 1 {
		r := b.login(t, ann.Email, passphrase)
		functiontest.Refused(t, r, 403)
		require.Contains(t, string(r.Body), "This account is disabled. Write to support.")
	}
	functiontest.Refused(t, wrong, 401)
	for range loginOfAccount.Max - 1 {
		again := b.login(t, ann.Email, "wrong password")
		require.Equal(t, wrong.Status, again.Status)
		require.Equal(t, string(wrong.Body), string(again.Body))
	}
	retryAfter(t, b.login(t, ann.Email, passphrase))
	// Nor does anything else tell.
	require.Equal(t, 202, b.forgot(t, ann.Email).Status)
	functiontest.Refused(t, b.post(t, "register/", "", object{"email": ann.Email, "password": passphrase}), 409)
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_session WHERE user_id = $1`, ann.ID))

	o.enables(t, ann)
	b.Exec(t, `DELETE FROM shared_limit`)
	functiontest.Read[signedIn](t, b.login(t, ann.Email, passphrase), 200)
	b.alive(t, ann.Token, false)
}

// A new password ends sessions and opens none.
func TestResetOfADisabledAccount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.operator(t)
	ann := b.person(t, "ann")
	require.Equal(t, 202, b.forgot(t, ann.Email).Status)
	o.disables(t, ann)
	require.Equal(t, 204, b.reset(t, ann.Email, b.digits(t, ann.ID, code.ForResetPassword), newPassword).Status)
	functiontest.Refused(t, b.login(t, ann.Email, newPassword), 403)
	functiontest.Refused(t, b.login(t, ann.Email, passphrase), 401)
}

// A code that an operator has sent works like one that was asked for, and ends the one before it.
func TestResetThatAnOperatorSends(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.operator(t)
	ann := b.person(t, "ann")
	require.Equal(t, 202, b.forgot(t, ann.Email).Status)
	before := b.digits(t, ann.ID, code.ForResetPassword)
	require.NoError(t, pg.InTx(t.Context(), o.as.DB, func(tx *pg.Tx) error {
		id, err := code.Issue(t.Context(), tx, ann.ID, code.ForResetPassword, nil)
		if err != nil {
			return err
		}
		return o.as.Outbox.Append(t.Context(), tx, events.UserPasswordResetRequested{UserID: ann.ID, CodeID: id})
	}))
	require.Equal(t, 2, b.count(t, "user.password_reset_requested"))
	if after := b.digits(t, ann.ID, code.ForResetPassword); before != after {
		functiontest.Refused(t, b.reset(t, ann.Email, before, newPassword), 400)
	}
	require.Equal(t, 204, b.reset(t, ann.Email, b.digits(t, ann.ID, code.ForResetPassword), newPassword).Status)
	require.ErrorIs(t, pg.InTx(t.Context(), o.as.DB, func(tx *pg.Tx) error {
		_, err := code.Issue(t.Context(), tx, ann.ID+1000, code.ForResetPassword, nil)
		return err
	}), pgx.ErrNoRows)
}

// Tokens die at once on every process, though the cache knew them, and a reader that was on its way brings none back.
func TestTokensOfADisabledAccount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	elsewhere := &bundle{}
	elsewhere.Server = functiontest.StartOn(t, b.DB, "auth", elsewhere.routes)
	o := b.operator(t)
	ann, bob := b.person(t, "ann"), b.person(t, "bob")
	second := b.signInAgain(t, ann.Email)
	b.cached(t, ann.Token)
	elsewhere.alive(t, ann.Token, true)
	found, store := b.Base.Cache.Token(t.Context(), authn.Hash(second))
	require.Nil(t, found)

	o.disables(t, ann)
	store(t.Context(), fmt.Appendf(nil, `{"SessionID": 1, "UserID": %d}`, ann.ID))
	for _, token := range []string{ann.Token, second} {
		b.alive(t, token, false)
		elsewhere.alive(t, token, false)
	}
	b.alive(t, bob.Token, true)
}

// A sign-in that looked before the account was disabled, or its password replaced, opens no session behind that.
func TestLoginWhileTheAccountChanges(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change        string
		status, tries int
	}{
		"disabled":             {`UPDATE auth_user SET disabled_at = now() WHERE id = $1`, 403, 0},
		"with a new password":  {`UPDATE auth_user SET password_hash = '` + password.NoHash + `' WHERE id = $1`, 401, len(loginCounts(t.Context(), ""))},
		"deleted in that time": {`DELETE FROM auth_user WHERE id = $1`, 401, len(loginCounts(t.Context(), ""))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ann := b.person(t, "ann")
			changing := b.holds(t, c.change, ann.ID)
			done := make(chan error, 1)
			go func() {
				done <- b.calls("POST", "login/", "", object{"email": ann.Email, "password": passphrase}, c.status)()
			}()
			b.waits(t)
			require.NoError(t, changing.Commit(t.Context()))
			require.NoError(t, <-done)
			require.LessOrEqual(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_session WHERE user_id = $1`, ann.ID), 1, "the first one alone")
			require.Equal(t, c.tries, functiontest.Value[int](t, b.Server, `SELECT coalesce(sum(cardinality(hits)), 0) FROM shared_limit`), "wrong tries")
		})
	}
}

// Disabled and signed in at the same moment: whichever comes first, nobody is signed in to a disabled account.
func TestLoginAgainstDisabling(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.operator(t)
	ann := b.person(t, "ann")
	ctx := context.Background()
	opened := 0
	for range 100 {
		token := newToken()
		o.enables(t, ann)
		atOnce(t, func() error {
			// What is left of a login once the password was checked, which takes so long that nothing else would still be under way.
			found := credentials{user: user{ID: ann.ID}, PasswordHash: b.hash}
			err := b.service.openSession(ctx, limit.Try{}, found, b.hash, authn.Hash(token), "")
			if errors.Is(err, errOvertaken) {
				return nil
			}
			if err == nil {
				opened++
				_, err = b.Try("GET", "/api/auth/sessions/", token, nil) // and so it may be in the cache
			}
			return err
		}, func() error { return o.disable(ctx, ann, nothingMore) })
		require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_session WHERE user_id = $1`, ann.ID))
		b.alive(t, token, false)
	}
	t.Log("signed in before", opened)
}

// Disabling is admin's, and nobody else's to do.
func TestWhoMayDisable(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann := b.person(t, "ann")
	for _, role := range []string{"residences", "tasks", "uploads", "media", "notifications", "sweeper", "site"} {
		conn, err := pgx.Connect(t.Context(), b.DB.DirectURL("honeydue_"+role))
		require.NoError(t, err)
		_, err = conn.Exec(t.Context(), `UPDATE auth_user SET disabled_at = NULL WHERE id = $1`, ann.ID)
		require.ErrorContains(t, err, "permission denied", role)
		require.NoError(t, conn.Close(t.Context()))
	}
}
