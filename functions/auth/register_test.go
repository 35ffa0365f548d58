package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/function/functiontest"
)

func TestRegister(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := functiontest.Read[signedIn](t, b.post(t, "register/", "", object{
		"email": " Ann@Example.com ", "password": passphrase, "first_name": " Ann ", "last_name": "Meyer",
		"time_zone": "Europe/Berlin", "device_name": "Ann's iPhone",
	}), 201)
	require.Regexp(t, `^hd_[A-Za-z0-9_-]{43}$`, made.Token)
	require.Equal(t, "Ann@Example.com", made.User.Email)
	require.Equal(t, "Ann", made.User.FirstName)
	require.Equal(t, "Meyer", made.User.LastName)
	require.Equal(t, "Europe/Berlin", *made.User.TimeZone)
	require.False(t, made.User.EmailVerified)
	require.Equal(t, "en", made.User.Locale)
	require.Equal(t, "USD", made.User.Currency)
	require.WithinDuration(t, time.Now(), made.User.CreatedAt, time.Minute)
	require.Equal(t, made.User, functiontest.Read[user](t, b.get(t, "me/", made.Token), 200))

	hash := functiontest.Value[string](t, b.Server, `SELECT password_hash FROM auth_user`)
	require.True(t, strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$"), hash)
	require.Equal(t, authn.Hash(made.Token), functiontest.Value[[]byte](t, b.Server, `SELECT token_hash FROM auth_session`))
	life := functiontest.Value[float64](t, b.Server, `SELECT extract(epoch FROM expires_at - now())::float8 / 86400 FROM auth_session`)
	require.InDelta(t, 90, life, 0.1)
	require.Equal(t, []string{
		fmt.Sprintf(`com.myhoneydue.user.registered.v1 {"user_id": %d}`, made.User.ID),
		fmt.Sprintf(`com.myhoneydue.user.verification_requested.v1 {"code_id": 1, "user_id": %d}`, made.User.ID),
	}, b.Events(t))
}

func TestRegisterRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.register(t, "taken@example.com")
	for name, c := range map[string]struct {
		change object
		status int
	}{
		"taken":                    {object{"email": "taken@example.com"}, 409},
		"taken in capitals":        {object{"email": "TAKEN@example.COM"}, 409},
		"no address":               {object{"email": "secret-text"}, 422},
		"a display name":           {object{"email": "Secret <secret@example.com>"}, 422},
		"a quoted local part":      {object{"email": `"secret x"@example.com`}, 422},
		"two addresses":            {object{"email": "secret@example.com,b@example.com"}, 422},
		"a line break":             {object{"email": "secret@example.com\r\nBcc: b@example.com"}, 422},
		"an address literal":       {object{"email": "secret@[127.0.0.1]"}, 422},
		"a host without a dot":     {object{"email": "secret@localhost"}, 422},
		"an odd host":              {object{"email": "secret@exa_mple.com"}, 422},
		"letters beyond ASCII":     {object{"email": "sécret@example.com"}, 422},
		"255 bytes":                {object{"email": "secret@" + strings.Repeat("abcdefg.", 31) + "com"}, 422},
		"a short password":         {object{"password": "secret7"}, 422},
		"a long password":          {object{"password": strings.Repeat("secret ", 19)}, 422},
		"a common password":        {object{"password": "PassWord1"}, 422},
		"the address as password":  {object{"password": "New.Secret@example.com"}, 422},
		"its local part as well":   {object{"password": "new.SECRET"}, 422},
		"an unknown zone":          {object{"time_zone": "Secret/Zone"}, 422},
		"the server's zone":        {object{"time_zone": "Local"}, 422},
		"a long name":              {object{"first_name": strings.Repeat("secret", 17)}, 422},
		"a line break in a name":   {object{"first_name": "secret\r\nBcc: x"}, 422},
		"a long device":            {object{"device_name": strings.Repeat("secret", 17)}, 422},
		"a field that is not ours": {object{"is_admin": true}, 422},
	} {
		body := object{"email": "new.secret@example.com", "password": passphrase}
		for field, value := range c.change {
			body[field] = value
		}
		r := b.post(t, "register/", "", body)
		require.Equal(t, c.status, r.Status, "%s: %s", name, r.Body)
		functiontest.Refused(t, r, c.status)
		require.NotContains(t, strings.ToLower(string(r.Body)), "secret", name)
	}
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_user`))
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_session`))
	require.Len(t, b.Events(t), 2)
}

// A password has 8 to 128 characters, however many bytes they take.
func TestPasswordLengthIsInCharacters(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i, p := range []string{"äöüßéèêë", strings.Repeat("漢", 128)} {
		email := fmt.Sprintf("p%d@example.com", i)
		functiontest.Read[signedIn](t, b.post(t, "register/", "", object{"email": email, "password": p}), 201)
		functiontest.Read[signedIn](t, b.login(t, email, p), 200)
	}
	functiontest.Refused(t, b.post(t, "register/", "", object{"email": "q@example.com", "password": strings.Repeat("漢", 129)}), 422)
}

// Two register one address at the same moment, a hundred times: exactly one wins.
func TestRegisterRace(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const rounds = 100
	for round := range rounds {
		statuses := make([]int, 2)
		var racers sync.WaitGroup
		for i := range statuses {
			racers.Go(func() {
				r, err := b.Try("POST", "/api/auth/register/", "", object{
					"email": []string{"race@example.com", "RACE@example.com"}[i], "password": passphrase,
				}, from(fmt.Sprintf("192.0.%d.%d", 2+i, round)))
				if err == nil {
					statuses[i] = r.Status
				}
			})
		}
		racers.Wait()
		require.ElementsMatch(t, []int{201, 409}, statuses, "round %d", round)
		b.Exec(t, `UPDATE auth_user SET email = 'done' || id WHERE email NOT LIKE 'done%'`)
	}
	require.Equal(t, rounds, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_user`))
	require.Equal(t, rounds, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_session`))
	require.Len(t, b.Events(t), 2*rounds)
}

func TestRegisterLimit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range registrations.Max {
		functiontest.Read[signedIn](t, b.post(t, "register/", "",
			object{"email": fmt.Sprintf("r%d@example.com", i), "password": passphrase}, from("192.0.2.1")), 201)
	}
	retryAfter(t, b.post(t, "register/", "", object{"email": "more@example.com", "password": passphrase}, from("192.0.2.1")))
	functiontest.Read[signedIn](t, b.post(t, "register/", "", object{"email": "more@example.com", "password": passphrase}, from("192.0.2.2")), 201)
}
