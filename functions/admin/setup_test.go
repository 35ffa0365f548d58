package main

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/seats"
)

func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }

const passphrase = "seven quiet herons"

type object = map[string]any

func sealKey() key { return key(strings.Repeat("k", keyBytes)) }

type bundle struct {
	*functiontest.Server
	service *service
}

func setup(t testing.TB) *bundle {
	t.Helper()
	b := &bundle{}
	b.Server = functiontest.Start(t, "admin", func(base *function.Base) func(huma.API) {
		b.service = newService(base, keys{sealKey()}, "http://127.0.0.1:1/honeydue/default")
		b.service.hasher.Seats = make(seats.Room, 16) // on a busy machine somebody might wait for one in vain
		return b.service.routes
	})
	return b
}

// An account of the tests has a session of each kind.
type account struct {
	ID            int64
	Email         string
	Cookie, Token string
}

// operator makes an account with that role and signs it in, without the ceremony.
func (b *bundle) operator(t testing.TB, as role) account {
	t.Helper()
	a := account{Email: string(as) + "." + string(as) + newToken()[4:12] + "@example.com", Cookie: newToken(), Token: newToken()}
	a.ID = functiontest.Value[int64](t, b.Server, `
		INSERT INTO admin_account (email, role, password_hash, totp_secret, enrolled_at) VALUES ($1, $2, 'none', '\x00', now()) RETURNING id`, a.Email, string(as))
	b.Exec(t, `INSERT INTO admin_session (account_id, kind, token_hash, expires_at) VALUES ($1, 'panel', $2, now() + interval '12 hours'), ($1, 'api', $3, now() + interval '12 hours')`,
		a.ID, authn.Hash(a.Cookie), authn.Hash(a.Token))
	return a
}

// A screen is an answer of the panel.
type screen struct {
	Status int
	Header http.Header
	Body   string
}

// browse asks for a page as a browser of cookie's owner would; a form makes it a POST.
func (b *bundle) browse(t testing.TB, path, cookie string, form url.Values, headers ...functiontest.Header) screen {
	t.Helper()
	method, body := http.MethodGet, io.Reader(http.NoBody)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(t.Context(), method, b.URL+path, body)
	require.NoError(t, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if cookie != "" {
		req.Header.Set("Cookie", cookieName+"="+cookie)
	}
	for _, h := range headers {
		req.Header.Set(h.Name, h.Value)
	}
	res, err := devtest.OneHop.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	read, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return screen{res.StatusCode, res.Header, string(read)}
}

// act sends the form of an act as the panel's own page does.
func (b *bundle) act(t testing.TB, path string, as account, fields ...string) screen {
	t.Helper()
	form := url.Values{"csrf": {csrfOf(as.Cookie)}}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.browse(t, path, as.Cookie, form)
}

// enrolled makes an account as an operator does: by the command's link, with a password and an authenticator, whose next code stays for
// signing in.
func (b *bundle) enrolled(t *testing.T, email string, as role) (secret string, recovery []string) {
	t.Helper()
	link := b.invited(t, email, as)
	token := link.Query().Get("token")
	form := b.browse(t, link.RequestURI(), "", nil)
	require.Equal(t, 200, form.Status, form.Body)
	secret = regexp.MustCompile(`<code>([A-Z2-7]{32})</code>`).FindStringSubmatch(form.Body)[1]
	done := b.browse(t, "/enrol/", "", url.Values{"token": {token}, "password": {passphrase}, "code": {codeOf(t, secret, 0)}})
	require.Equal(t, 200, done.Status, done.Body)
	for _, found := range regexp.MustCompile(`<code>([a-z2-7-]{19})</code>`).FindAllStringSubmatch(done.Body, -1) {
		recovery = append(recovery, found[1])
	}
	require.Len(t, recovery, recoveryCodes)
	return secret, recovery
}

// invited opens an account as the command does and returns its link.
func (b *bundle) invited(t *testing.T, email string, as role) *url.URL {
	t.Helper()
	token := newToken()
	_, err := b.service.DB.Exec(t.Context(), inviteOperator, email, string(as), authn.Hash(token), enrolmentLife.Seconds())
	require.NoError(t, err)
	link, err := url.Parse("/enrol/?token=" + token)
	require.NoError(t, err)
	return link
}

// codeOf is what an authenticator shows, so many steps from now.
func codeOf(t testing.TB, secret string, steps int) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, time.Now().Add(time.Duration(steps)*totpPeriod*time.Second))
	require.NoError(t, err)
	return code
}
