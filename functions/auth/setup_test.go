package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/seats"
)

func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }

const passphrase = "seven quiet herons"

func codeKey() code.Key { return code.Key(strings.Repeat("k", 32)) }

type bundle struct {
	*functiontest.Server
	service *service
	hash    string // of password, made once
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{}
	b.Server = functiontest.Start(t, "auth", b.routes)
	return b
}

// routes is what functiontest starts; it keeps the service for the test to look into.
func (b *bundle) routes(base *function.Base) func(huma.API) {
	var codes code.Keys
	_ = codes.Decode(string(codeKey())) // which is long enough
	b.service = newService(base, codes)
	b.service.hasher.Seats = make(seats.Room, 16) // on a busy machine somebody might wait for one in vain
	base.Events = b.service.consumer()
	return b.service.routes
}

// from is the header of a request that comes from a client's address.
func from(address string) functiontest.Header {
	return functiontest.Header{Name: "X-Forwarded-For", Value: address}
}

type object = map[string]any

// register makes an account over HTTP.
func (b *bundle) register(t *testing.T, email string) signedIn {
	t.Helper()
	r := b.Call(t, "POST", "/api/auth/register/", "", object{"email": email, "password": passphrase, "first_name": "Ann"})
	return functiontest.Read[signedIn](t, r, 201)
}

func (b *bundle) post(t *testing.T, path, token string, body any, headers ...functiontest.Header) functiontest.Response {
	t.Helper()
	return b.Call(t, "POST", "/api/auth/"+path, token, body, headers...)
}

func (b *bundle) get(t *testing.T, path, token string) functiontest.Response {
	t.Helper()
	return b.Call(t, "GET", "/api/auth/"+path, token, nil)
}

func (b *bundle) login(t *testing.T, email, passphrase string, headers ...functiontest.Header) functiontest.Response {
	t.Helper()
	return b.post(t, "login/", "", object{"email": email, "password": passphrase}, headers...)
}

// alive checks whether a token signs its person in. What it asks for reads no account: a dead token that a cache lets in is seen.
func (b *bundle) alive(t *testing.T, token string, want bool) {
	t.Helper()
	if want {
		functiontest.Read[object](t, b.get(t, "sessions/", token), 200)
	} else {
		functiontest.Refused(t, b.get(t, "sessions/", token), 401)
	}
}

// cached uses a token until the cache knows it, so that nothing but a revocation ends it.
func (b *bundle) cached(t *testing.T, token string) {
	t.Helper()
	require.Eventually(t, func() bool {
		b.alive(t, token, true)
		found, _ := b.Base.Cache.Token(t.Context(), authn.Hash(token))
		return found != nil
	}, 10*time.Second, 10*time.Millisecond)
}

// digits are those of the newest code of a purpose, as its mail would say them.
func (b *bundle) digits(t *testing.T, person int64, purpose string) string {
	t.Helper()
	const newest = ` FROM auth_code WHERE user_id = $1 AND purpose = $2 ORDER BY id DESC LIMIT 1`
	id := functiontest.Value[int64](t, b.Server, `SELECT id`+newest, person, purpose)
	nonce := functiontest.Value[[]byte](t, b.Server, `SELECT nonce`+newest, person, purpose)
	return codeKey().Derive(purpose, person, id, nonce)
}

// other returns six digits that are not those.
func other(digits string) string {
	if digits == "000000" {
		return "000001"
	}
	return "000000"
}

// count returns how many events of a type there are.
func (b *bundle) count(t *testing.T, name string) (n int) {
	t.Helper()
	for _, event := range b.Events(t) {
		if strings.HasPrefix(event, "com.myhoneydue."+name+".v1 ") {
			n++
		}
	}
	return n
}

// retryAfter checks that an answer is 429 and says when to come back.
func retryAfter(t *testing.T, r functiontest.Response) {
	t.Helper()
	functiontest.Refused(t, r, 429)
	require.Len(t, r.Header.Values("Retry-After"), 1)
}
