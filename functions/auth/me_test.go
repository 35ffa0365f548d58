package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
)

func TestPatchMe(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	patched := func(body string) user {
		return functiontest.Read[user](t, b.Call(t, "PATCH", "/api/auth/me/", made.Token, body), 200)
	}
	want := made.User
	want.LastName, want.TimeZone, want.Locale, want.Currency = "Meyer", new("America/Chicago"), "de-CH", "CHF"
	require.Equal(t, want, patched(`{"last_name":" Meyer ","time_zone":"America/Chicago","locale":"de-CH","currency":"CHF"}`))
	want.FirstName = "Anna"
	require.Equal(t, want, patched(`{"first_name":"Anna"}`))
	want.TimeZone, want.FirstName = nil, ""
	require.Equal(t, want, patched(`{"time_zone":null,"first_name":""}`))
	require.Equal(t, want, patched(`{}`))
	require.Equal(t, want, patched(`{"first_name":null,"locale":null}`), "what cannot be cleared stays")
	require.Equal(t, want, functiontest.Read[user](t, b.get(t, "me/", made.Token), 200))
}

func TestPatchMeRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	for _, body := range []string{
		`{"first_name":"` + strings.Repeat("secret", 17) + `"}`,
		`{"last_name":"sec\u0007ret"}`,
		`{"last_name":7}`,
		`{"time_zone":"secret"}`,
		`{"time_zone":""}`,
		`{"time_zone":"Local"}`,
		`{"time_zone":"../../etc/secret"}`,
		`{"time_zone":"` + strings.Repeat("secret", 20) + `"}`,
		`{"locale":"secret locale"}`,
		`{"currency":"usd"}`,
		`{"currency":"SECRET"}`,
		`{"email":"secret@example.com"}`,
		`{"id":8}`,
	} {
		r := b.Call(t, "PATCH", "/api/auth/me/", made.Token, body)
		functiontest.Refused(t, r, 422)
		require.NotContains(t, string(r.Body), "secret", body)
	}
	require.Equal(t, made.User, functiontest.Read[user](t, b.get(t, "me/", made.Token), 200))
}

// A change of zone is known at once to every token that was looked up before it.
func TestZoneChangeForgetsLookups(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.register(t, "ann@example.com")
	second := functiontest.Read[signedIn](t, b.login(t, "ann@example.com", passphrase), 200)
	keys := func() (found int) {
		for _, token := range []string{made.Token, second.Token} {
			if value, _ := b.Base.Cache.Token(t.Context(), hashOf(token)); value != nil {
				found++
			}
		}
		return found
	}
	kept := func() bool {
		// On a busy machine the cache may miss its time; then the look-up is kept with a later call.
		_, _ = b.Try("GET", "/api/auth/me/", made.Token, nil)
		_, _ = b.Try("GET", "/api/auth/me/", second.Token, nil)
		return keys() == 2
	}
	require.Eventually(t, kept, 10*time.Second, 10*time.Millisecond)
	functiontest.Read[user](t, b.Call(t, "PATCH", "/api/auth/me/", made.Token, `{"first_name":"Bo"}`), 200)
	require.Eventually(t, kept, 10*time.Second, 10*time.Millisecond)
	functiontest.Read[user](t, b.Call(t, "PATCH", "/api/auth/me/", made.Token, `{"time_zone":"Asia/Tokyo"}`), 200)
	require.Zero(t, keys())
	b.alive(t, second.Token, true)
}
