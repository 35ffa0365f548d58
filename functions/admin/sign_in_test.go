package main

import (
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
)

const olga = "olga@example.com"

func signInForm(code string) url.Values {
	return url.Values{"email": {" Olga@Example.com "}, "password": {passphrase}, "code": {code}, "next": {"/people/"}}
}

// cookieOf reads the session of an answer.
func cookieOf(t *testing.T, s screen) string {
	t.Helper()
	require.Equal(t, 303, s.Status, s.Body)
	cookie := s.Header.Get("Set-Cookie")
	require.Regexp(t, `^__Host-admin=hda_[A-Za-z0-9_-]{43}; Path=/; Max-Age=43200; HttpOnly; Secure; SameSite=Strict$`, cookie)
	token, _, _ := strings.Cut(strings.TrimPrefix(cookie, cookieName+"="), ";")
	return token
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	secret, _ := b.enrolled(t, olga, adminRole)
	code := codeOf(t, secret, 1)
	in := b.browse(t, "/sign-in/", "", signInForm(code[:3]+" "+code[3:]))
	token := cookieOf(t, in)
	require.Equal(t, "/people/", in.Header.Get("Location"))
	page := b.browse(t, "/people/", token, nil)
	require.Equal(t, 200, page.Status, page.Body)
	require.Contains(t, page.Body, olga)
	require.Equal(t, policy, page.Header.Get("Content-Security-Policy"))
	require.Equal(t, "no-store", page.Header.Get("Cache-Control"))
	functiontest.Refused(t, b.Call(t, "GET", "/api/admin/me/", token, nil), 401)

	again := b.browse(t, "/sign-in/", "", signInForm(code))
	require.Equal(t, 401, again.Status, "a code works once")

	out := b.browse(t, "/sign-out/", token, url.Values{"csrf": {csrfOf(token)}})
	require.Equal(t, 303, out.Status)
	require.Contains(t, out.Header.Get("Set-Cookie"), "Max-Age=0")
	require.Equal(t, 303, b.browse(t, "/people/", token, nil).Status)
	log := functiontest.Value[string](t, b.Server, `SELECT string_agg(act || ' ' || subject || ' ' || address, ', ' ORDER BY id) FROM admin_audit`)
	require.Equal(t, "invite operators/1 command line, enrol operators/1 127.0.0.1, sign-in operators/1 127.0.0.1, sign-out operators/1 127.0.0.1", log)
}

func TestSignInByAPI(t *testing.T) {
	t.Parallel()
	b := setup(t)
	secret, _ := b.enrolled(t, olga, supportRole)
	body := object{"email": olga, "password": passphrase, "code": codeOf(t, secret, 1)}
	in := functiontest.Read[signedInBody](t, b.Call(t, "POST", "/api/admin/login/", "", body), 200)
	me := functiontest.Read[meBody](t, b.Call(t, "GET", "/api/admin/me/", in.Token, nil), 200)
	require.Equal(t, in.meBody, me)
	require.Equal(t, supportRole, me.Role)
	require.Equal(t, 303, b.browse(t, "/", in.Token, nil).Status, "a token is no cookie")
	functiontest.Refused(t, b.Call(t, "POST", "/api/admin/login/", "", body), 401)
	require.Equal(t, 204, b.Call(t, "POST", "/api/admin/logout/", in.Token, nil).Status)
	functiontest.Refused(t, b.Call(t, "GET", "/api/admin/me/", in.Token, nil), 401)
}

// Whatever is wrong, the answer is the same.
func TestSignInRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	secret, recovery := b.enrolled(t, olga, adminRole)
	_, others := b.enrolled(t, "otto@example.com", adminRole)
	b.invited(t, "new@example.com", adminRole)
	used := functiontest.Value[int64](t, b.Server, `SELECT totp_step FROM admin_account WHERE email = $1`, olga)
	enrolment, err := totp.GenerateCode(secret, time.Unix(used*totpPeriod, 0))
	require.NoError(t, err)
	right := func() object {
		return object{"email": olga, "password": passphrase, "code": codeOf(t, secret, 1)}
	}
	var answers []string
	for name, change := range map[string]object{
		"another address":         {"email": "nobody@example.com"},
		"one not enrolled yet":    {"email": "new@example.com"},
		"another password":        {"password": passphrase + "x"},
		"another code":            {"code": "000000"},
		"a code of long ago":      {"code": codeOf(t, secret, -5)},
		"the enrolment's code":    {"code": enrolment},
		"another's recovery code": {"code": others[0]},
	} {
		body := right()
		for field, value := range change {
			body[field] = value
		}
		r := b.Call(t, "POST", "/api/admin/login/", "", body, functiontest.Header{Name: "X-Forwarded-For", Value: "192.0.2." + string(rune('1'+len(answers)))})
		functiontest.Refused(t, r, 401)
		answers = append(answers, string(r.Body))
		require.Equal(t, answers[0], string(r.Body), name)
	}
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM admin_session`))
	for _, code := range []string{recovery[0], strings.ToUpper(strings.ReplaceAll(recovery[1], "-", " "))} {
		body := right()
		body["code"] = code
		require.Equal(t, 200, b.Call(t, "POST", "/api/admin/login/", "", body).Status)
		functiontest.Refused(t, b.Call(t, "POST", "/api/admin/login/", "", body), 401)
	}
}

func TestSignInIsLimited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	secret, _ := b.enrolled(t, olga, adminRole)
	for range 5 {
		require.Equal(t, 401, b.browse(t, "/sign-in/", "", signInForm("000000")).Status)
	}
	late := b.browse(t, "/sign-in/", "", signInForm(codeOf(t, secret, 1)))
	require.Equal(t, 429, late.Status)
	require.NotEmpty(t, late.Header.Get("Retry-After"))
	require.NotContains(t, late.Body, passphrase)
	elsewhere := b.browse(t, "/sign-in/", "", signInForm(codeOf(t, secret, 1)), functiontest.Header{Name: "X-Forwarded-For", Value: "192.0.2.7"})
	cookieOf(t, elsewhere)
}

// Who has the password has ten codes an hour, from however many addresses.
func TestCodesAreLimited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	secret, _ := b.enrolled(t, olga, adminRole)
	try := func(n int, code string) int {
		return b.browse(t, "/sign-in/", "", signInForm(code), functiontest.Header{Name: "X-Forwarded-For", Value: "198.51.100." + strconv.Itoa(n)}).Status
	}
	for n := range 10 {
		require.Equal(t, 401, try(n, "000000"))
	}
	require.Equal(t, 401, try(20, codeOf(t, secret, 1)), "the answer does not tell that the password is right")
	b.Exec(t, `DELETE FROM shared_limit`)
	require.Equal(t, 303, try(21, codeOf(t, secret, 1)))
}

// Of any number who come with one code at the same moment, one gets in.
func TestOneCodeAtTheSameMoment(t *testing.T) {
	t.Parallel()
	b := setup(t)
	secret, recovery := b.enrolled(t, olga, adminRole)
	for _, code := range []string{codeOf(t, secret, 1), recovery[3]} {
		statuses := make([]int, 4)
		var group sync.WaitGroup
		for i := range statuses {
			group.Go(func() {
				r, err := b.Try("POST", "/api/admin/login/", "", object{"email": olga, "password": passphrase, "code": code})
				if err == nil {
					statuses[i] = r.Status
				}
			})
		}
		group.Wait()
		require.ElementsMatch(t, []int{200, 401, 401, 401}, statuses)
		b.Exec(t, `DELETE FROM shared_limit`)
	}
}

func TestWhereSignInLeads(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{
		"/people/?q=a": "/people/?q=a", "": "/", "people": "/", "//evil.example": "/", "https://evil.example": "/", `/\evil.example`: "/", "/\tx": "/",
	} {
		require.Equal(t, want, inside(next), next)
	}
}

func TestEnrolment(t *testing.T) {
	t.Parallel()
	b := setup(t)
	link := b.invited(t, olga, adminRole)
	token := link.Query().Get("token")
	first := b.browse(t, link.RequestURI(), "", nil)
	require.Equal(t, 200, first.Status)
	require.Contains(t, first.Body, "<svg class=\"qr\"")
	require.Equal(t, first.Body, b.browse(t, link.RequestURI(), "", nil).Body, "the secret stays while the page is loaded again")
	secret := base32Of(b.service.totpSecretOf(token))
	try := func(password, code string) screen {
		return b.browse(t, "/enrol/", "", url.Values{"token": {token}, "password": {password}, "code": {code}})
	}
	for name, refused := range map[string]screen{
		"short":      try("short", codeOf(t, secret, 0)),
		"common":     try("123456qwerty", codeOf(t, secret, 0)),
		"own":        try(olga, codeOf(t, secret, 0)),
		"wrong code": try(passphrase, "123"),
	} {
		require.Equal(t, 422, refused.Status, name)
		require.Contains(t, refused.Body, `role="alert"`, name)
		require.NotContains(t, refused.Body, passphrase)
	}
	require.Equal(t, 200, try(passphrase, codeOf(t, secret, 0)).Status)
	require.Equal(t, 404, try(passphrase, codeOf(t, secret, 1)).Status, "a link works once")
	require.Equal(t, 404, b.browse(t, link.RequestURI(), "", nil).Status)
	require.Equal(t, 404, b.browse(t, "/enrol/?token=", "", nil).Status)

	stale := b.invited(t, "late@example.com", adminRole)
	b.Exec(t, `UPDATE admin_account SET enrolment_expires_at = now() WHERE email = 'late@example.com'`)
	require.Equal(t, 404, b.browse(t, stale.RequestURI(), "", nil).Status)
}

// A second invitation is for who lost their phone: what they signed in with, and their sessions, end with it.
func TestInvitedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	secret, _ := b.enrolled(t, olga, adminRole)
	token := cookieOf(t, b.browse(t, "/sign-in/", "", signInForm(codeOf(t, secret, 1))))
	again, _ := b.enrolled(t, olga, supportRole)
	require.NotEqual(t, secret, again)
	require.Equal(t, 303, b.browse(t, "/people/", token, nil).Status)
	require.Equal(t, 401, b.browse(t, "/sign-in/", "", signInForm(codeOf(t, secret, 1))).Status)
	cookieOf(t, b.browse(t, "/sign-in/", "", signInForm(codeOf(t, again, 1))))
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM admin_account`))
	require.Equal(t, "support", functiontest.Value[string](t, b.Server, `SELECT role FROM admin_account`))
}

// A new ADMIN_KEY takes over: who signs in has their secret sealed with it, and an enrolment that began before it ends after it.
func TestANewKeyTakesOver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	secret, recovery := b.enrolled(t, olga, adminRole)
	sealed := func() []byte {
		return functiontest.Value[[]byte](t, b.Server, `SELECT totp_secret FROM admin_account WHERE email = $1`, olga)
	}
	before, next := sealed(), key(strings.Repeat("n", keyBytes))

	b.service.keys = keys{sealKey(), next}
	require.Equal(t, 303, b.browse(t, "/sign-in/", "", signInForm(codeOf(t, secret, 1))).Status)
	require.Equal(t, before, sealed(), "the key in use has sealed it")
	b.service.keys = keys{next, sealKey()}
	require.Equal(t, 303, b.browse(t, "/sign-in/", "", signInForm(recovery[0])).Status)
	require.NotEqual(t, before, sealed())
	b.service.keys = keys{next}
	require.Equal(t, 303, b.browse(t, "/sign-in/", "", signInForm(recovery[1])).Status, "the old key is gone")

	token := newToken()
	b.service.keys = keys{sealKey()}
	shown := b.service.totpSecretOf(token)
	b.service.keys = keys{next, sealKey()}
	proved, step := b.service.shown(token, codeOf(t, base32Of(shown), 0))
	require.Equal(t, shown, proved)
	require.Positive(t, step)
	_, step = b.service.shown(token, "000000x")
	require.Zero(t, step)
}

func TestKeysAreRead(t *testing.T) {
	t.Parallel()
	one, other := strings.Repeat("ab", keyBytes), strings.Repeat("cd", keyBytes)
	var k keys
	require.NoError(t, k.Decode(one+", "+other))
	require.Len(t, k, 2)
	for said, text := range map[string]string{
		"key 1 of those that commas part: not 32 bytes": "",
		"key 2 of those that commas part: not 32 bytes": one + ",",
		"key 2 of those that commas part stands twice":  one + "," + one,
	} {
		err := k.Decode(text)
		require.ErrorContains(t, err, said)
		require.NotContains(t, err.Error(), "abab")
	}
}

// Nothing that signs in is readable in the database.
func TestNothingIsStoredReadable(t *testing.T) {
	t.Parallel()
	b := setup(t)
	secret, recovery := b.enrolled(t, olga, adminRole)
	token := cookieOf(t, b.browse(t, "/sign-in/", "", signInForm(codeOf(t, secret, 1))))
	all := functiontest.Value[string](t, b.Server, `SELECT concat_ws(' ', (SELECT string_agg(a::text, ' ') FROM admin_account a),
		(SELECT string_agg(s::text, ' ') FROM admin_session s), (SELECT string_agg(r::text, ' ') FROM admin_recovery_code r), (SELECT string_agg(l::text, ' ') FROM admin_audit l))`)
	for _, hidden := range []string{passphrase, secret, token, recovery[0], plainCode(recovery[0]), strings.TrimPrefix(token, tokenPrefix)} {
		require.NotContains(t, all, hidden)
	}
	raw := functiontest.Value[[]byte](t, b.Server, `SELECT totp_secret FROM admin_account`)
	opened, err := sealKey().open(1, raw)
	require.NoError(t, err)
	require.Equal(t, secret, base32Of(opened))
	_, err = sealKey().open(2, raw)
	require.ErrorContains(t, err, "make admin", "it opens for no other account")
	other := key(strings.Repeat("x", keyBytes))
	_, err = other.open(1, raw)
	require.ErrorContains(t, err, "ADMIN_KEY")
}
