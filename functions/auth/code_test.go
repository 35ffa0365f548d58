package main

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/function/functiontest"
)

type verified struct{ User user }

func (b *bundle) verify(t *testing.T, token, digits string) functiontest.Response {
	t.Helper()
	return b.post(t, "verify-email/", token, object{"code": digits})
}

func TestVerifyEmail(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	stranger := b.register(t, "bob@example.com")
	digits := b.digits(t, made.User.ID, code.ForVerifyEmail)
	if digits != b.digits(t, stranger.User.ID, code.ForVerifyEmail) {
		functiontest.Refused(t, b.verify(t, stranger.Token, digits), 400)
	}
	functiontest.Refused(t, b.verify(t, made.Token, other(digits)), 400)
	for _, bad := range []any{"12345", "1234567", "abcdef", "", 123456, nil} {
		functiontest.Refused(t, b.post(t, "verify-email/", made.Token, object{"code": bad}), 422)
	}
	want := made.User
	want.EmailVerified = true
	require.Equal(t, want, functiontest.Read[verified](t, b.verify(t, made.Token, digits), 200).User)
	functiontest.Refused(t, b.verify(t, made.Token, digits), 400)
	require.False(t, functiontest.Read[user](t, b.get(t, "me/", stranger.Token), 200).EmailVerified)
}

func TestCodeExpires(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	life := functiontest.Value[float64](t, b.Server, `SELECT extract(epoch FROM expires_at - created_at)::float8 FROM auth_code`)
	require.InDelta(t, 60*code.Minutes, life, 1)
	b.Exec(t, `UPDATE auth_code SET expires_at = now()`)
	functiontest.Refused(t, b.verify(t, made.Token, b.digits(t, made.User.ID, code.ForVerifyEmail)), 400)
}

// Refused tries are counted and committed: after five, the right digits come too late.
func TestCodeTries(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	digits := b.digits(t, made.User.ID, code.ForVerifyEmail)
	for n := range code.Tries {
		functiontest.Refused(t, b.verify(t, made.Token, other(digits)), 400)
		require.Equal(t, n+1, functiontest.Value[int](t, b.Server, `SELECT tries FROM auth_code`))
	}
	functiontest.Refused(t, b.verify(t, made.Token, digits), 400)
	require.Equal(t, code.Tries, functiontest.Value[int](t, b.Server, `SELECT tries FROM auth_code`))
}

// Of twenty tries at the same moment five are looked at; of twenty right ones, one wins.
func TestCodeRaces(t *testing.T) {
	t.Parallel()
	b := setup(t)
	race := func(token, digits string) map[int]int {
		var mu sync.Mutex
		var racers sync.WaitGroup
		seen := map[int]int{}
		for range 20 {
			racers.Go(func() {
				r, err := b.Try("POST", "/api/auth/verify-email/", token, object{"code": digits})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					seen[r.Status]++
				}
			})
		}
		racers.Wait()
		return seen
	}
	for round := range 5 {
		wrong := b.register(t, fmt.Sprintf("wrong%d@example.com", round))
		digits := b.digits(t, wrong.User.ID, code.ForVerifyEmail)
		require.Equal(t, map[int]int{400: 20}, race(wrong.Token, other(digits)))
		require.Equal(t, code.Tries, functiontest.Value[int](t, b.Server, `SELECT tries FROM auth_code WHERE user_id = $1`, wrong.User.ID))
		functiontest.Refused(t, b.verify(t, wrong.Token, digits), 400)

		right := b.register(t, fmt.Sprintf("right%d@example.com", round))
		digits = b.digits(t, right.User.ID, code.ForVerifyEmail)
		require.Equal(t, map[int]int{200: 1, 400: 19}, race(right.Token, digits))
	}
}

func TestResendVerification(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	first := b.digits(t, made.User.ID, code.ForVerifyEmail)
	require.Equal(t, 202, b.post(t, "resend-verification/", made.Token, nil).Status)
	require.Equal(t, 2, b.count(t, "user.verification_requested"))
	second := b.digits(t, made.User.ID, code.ForVerifyEmail)
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_code WHERE expires_at > now()`))
	if first != second {
		functiontest.Refused(t, b.verify(t, made.Token, first), 400)
	}
	functiontest.Read[verified](t, b.verify(t, made.Token, second), 200)
	// Nothing awaits proof any more.
	require.Equal(t, 202, b.post(t, "resend-verification/", made.Token, nil).Status)
	require.Equal(t, 2, b.count(t, "user.verification_requested"))
	for range codesOfPerson.Max - 2 {
		require.Equal(t, 202, b.post(t, "resend-verification/", made.Token, nil).Status)
	}
	retryAfter(t, b.post(t, "resend-verification/", made.Token, nil))
}

// When two codes of one purpose live, as two requests at the same moment can make them, only the newer works.
func TestOnlyTheNewestCodeWorks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	older := b.digits(t, made.User.ID, code.ForVerifyEmail)
	b.Exec(t, `INSERT INTO auth_code (user_id, purpose, nonce, expires_at) SELECT user_id, purpose, 'another nonce', expires_at FROM auth_code`)
	newer := b.digits(t, made.User.ID, code.ForVerifyEmail)
	if older != newer {
		functiontest.Refused(t, b.verify(t, made.Token, older), 400)
	}
	functiontest.Read[verified](t, b.verify(t, made.Token, newer), 200)
	functiontest.Refused(t, b.verify(t, made.Token, older), 400)
}
