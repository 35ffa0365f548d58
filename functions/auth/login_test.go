package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/password"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	again := functiontest.Read[signedIn](t, b.post(t, "login/", "", object{"email": " ANN@example.com", "password": passphrase, "device_name": " iPad "}), 200)
	require.NotEqual(t, made.Token, again.Token)
	require.Equal(t, made.User, again.User)
	b.alive(t, made.Token, true)
	b.alive(t, again.Token, true)
	require.Equal(t, "iPad", functiontest.Value[string](t, b.Server, `SELECT device_name FROM auth_session ORDER BY id DESC LIMIT 1`))
	bearer := functiontest.Header{Name: "Authorization", Value: "Bearer " + again.Token}
	functiontest.Read[user](t, b.Call(t, "GET", "/api/auth/me", "", nil, bearer), 200)
}

// Whatever the reason, the answer of a failed login is the same to the byte, but for the request's own id and date.
func TestLoginFailuresAreAlike(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.register(t, "ann@example.com")
	without := b.Person(t, "nopassword")
	var answers []functiontest.Response
	for _, r := range []functiontest.Response{
		b.login(t, "ann@example.com", "wrong password"),
		b.login(t, "nobody@example.com", passphrase),
		b.login(t, "not an address", passphrase),
		b.login(t, without.Email, passphrase),
		b.login(t, "ann@example.com", strings.Repeat("x", 128)),
	} {
		functiontest.Refused(t, r, 401)
		r.Header = r.Header.Clone()
		r.Header.Del("X-Request-Id")
		r.Header.Del("Date")
		answers = append(answers, r)
	}
	for _, r := range answers {
		require.Equal(t, answers[0], r)
	}
	require.Equal(t, []string{"Token"}, answers[0].Header.Values("Www-Authenticate"))
	require.Equal(t, 2, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_session`))
}

func TestLockoutIsPerAddress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.register(t, "ann@example.com")
	here, there := from("192.0.2.1"), from("192.0.2.2")
	for range loginOfAccount.Max {
		functiontest.Refused(t, b.login(t, "ann@example.com", "wrong password", here), 401)
	}
	// The right password does not help here, other accounts do not mind, and another address is not locked out.
	retryAfter(t, b.login(t, "ANN@example.com", passphrase, here))
	functiontest.Refused(t, b.login(t, "bob@example.com", passphrase, here), 401)
	functiontest.Read[signedIn](t, b.login(t, "ann@example.com", passphrase, there), 200)
	// One that does not exist is treated alike.
	for range loginOfAccount.Max {
		functiontest.Refused(t, b.login(t, "nobody@example.com", "wrong password", there), 401)
	}
	retryAfter(t, b.login(t, "nobody@example.com", "wrong password", there))
	// The window passes.
	b.Exec(t, `UPDATE shared_limit SET hits = ARRAY(SELECT h - interval '16 minutes' FROM unnest(hits) h)`)
	functiontest.Read[signedIn](t, b.login(t, "ann@example.com", passphrase, here), 200)
}

func TestSuccessesAreNotCounted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.register(t, "ann@example.com")
	for range loginOfAccount.Max + 2 {
		functiontest.Read[signedIn](t, b.login(t, "ann@example.com", passphrase), 200)
	}
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT coalesce(sum(cardinality(hits)), 0) FROM shared_limit WHERE expires_at < now() + interval '20 minutes'`))
}

func TestLimitOverAllAccounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.register(t, "ann@example.com")
	for i := range loginOfAddress.Max {
		functiontest.Refused(t, b.login(t, fmt.Sprintf("p%d@example.com", i), passphrase, from("2001:db8:1:2::"+fmt.Sprint(i+1))), 401)
	}
	// An IPv6 home is its /64.
	retryAfter(t, b.login(t, "ann@example.com", passphrase, from("2001:db8:1:2:ffff::1")))
	functiontest.Read[signedIn](t, b.login(t, "ann@example.com", passphrase, from("2001:db8:1:3::1")), 200)
	// The refused try is not held against the account.
	var hits int
	require.NoError(t, b.Owner.QueryRow(context.Background(), `SELECT count(*) FROM shared_limit WHERE cardinality(hits) > 0`).Scan(&hits))
	require.Equal(t, loginOfAddress.Max+2, hits, "one row an account, one for the address, one for the registration")
}

// Many tries at the same moment: no more than the limit are compared.
func TestLockoutUnderConcurrency(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.register(t, "ann@example.com")
	statuses := make([]int, 20)
	var racers sync.WaitGroup
	for i := range statuses {
		racers.Go(func() {
			r, err := b.Try("POST", "/api/auth/login/", "", object{"email": "ann@example.com", "password": "wrong password"}, from("192.0.2.1"))
			if err == nil {
				statuses[i] = r.Status
			}
		})
	}
	racers.Wait()
	seen := map[int]int{}
	for _, status := range statuses {
		seen[status]++
	}
	require.Equal(t, map[int]int{401: loginOfAccount.Max, 429: len(statuses) - loginOfAccount.Max}, seen)
}

func TestBcryptIsReplacedAtLogin(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	old, err := bcrypt.GenerateFromPassword([]byte(passphrase), bcrypt.MinCost)
	require.NoError(t, err)
	b.Exec(t, `UPDATE auth_user SET password_hash = $1`, string(old))
	functiontest.Refused(t, b.login(t, "ann@example.com", "wrong password"), 401)
	require.Equal(t, string(old), functiontest.Value[string](t, b.Server, `SELECT password_hash FROM auth_user`))
	// Two at once: one replaces it, both are let in.
	statuses := make([]int, 2)
	var racers sync.WaitGroup
	for i := range statuses {
		racers.Go(func() {
			if r, err := b.Try("POST", "/api/auth/login/", "", object{"email": "ann@example.com", "password": passphrase}); err == nil {
				statuses[i] = r.Status
			}
		})
	}
	racers.Wait()
	require.Equal(t, []int{200, 200}, statuses)
	require.False(t, password.Outdated(functiontest.Value[string](t, b.Server, `SELECT password_hash FROM auth_user WHERE id = $1`, made.User.ID)))
	functiontest.Read[signedIn](t, b.login(t, "ann@example.com", passphrase), 200)
}

func TestUnreadableHashIsNoLogin(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.register(t, "ann@example.com")
	for _, hash := range []string{"plain text", "$argon2id$v=19$m=0,t=0,p=0$AAAA$AAAA", "$argon2id$", "$argon2id$v=16$m=19456,t=2,p=1$AAAA$AAAA"} {
		b.Exec(t, `UPDATE auth_user SET password_hash = $1`, hash)
		functiontest.Refused(t, b.login(t, "ann@example.com", hash), http.StatusInternalServerError)
	}
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_session`))
}

// As many hashes at once as cores, two to four, are the most; who waits a second in vain is told to come back and has no failure to their name.
func TestHashesAreFew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.register(t, "ann@example.com")
	b.service.hasher = password.NewHasher()
	require.Equal(t, max(2, min(4, runtime.GOMAXPROCS(0))), cap(b.service.hasher.Seats))
	for range cap(b.service.hasher.Seats) {
		b.service.hasher.Seats <- struct{}{}
	}
	retryAfter(t, b.login(t, "ann@example.com", passphrase))
	retryAfter(t, b.post(t, "register/", "", object{"email": "bob@example.com", "password": passphrase}))
	<-b.service.hasher.Seats
	functiontest.Read[signedIn](t, b.login(t, "ann@example.com", passphrase), 200)
	for range loginOfAccount.Max {
		functiontest.Refused(t, b.login(t, "ann@example.com", "wrong password"), 401)
	}
}
