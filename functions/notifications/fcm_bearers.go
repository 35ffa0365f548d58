package main

import (
	"cmp"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"
)

const (
	fcmScope = "https://www.googleapis.com/auth/firebase.messaging"
	// A bearer with less time left than this is not used: it could end on its way.
	bearerRest = time.Minute
)

// A serviceAccount is who we are to Google.
type serviceAccount struct {
	Project string `json:"project_id"`
	Email   string `json:"client_email"`
	KeyID   string `json:"private_key_id"`
	Key     string `json:"private_key"` // PEM
	URL     string `json:"token_uri"`
}

// readServiceAccount reads the file that Google hands out. Its error names fields, and holds nothing of what is in them.
func readServiceAccount(text string) (serviceAccount, error) {
	var a serviceAccount
	if json.Unmarshal([]byte(text), &a) != nil {
		return a, errors.New("not the JSON of a service account")
	}
	for _, field := range [][2]string{{"project_id", a.Project}, {"client_email", a.Email}, {"private_key", a.Key}, {"token_uri", a.URL}} {
		if field[1] == "" {
			return a, fmt.Errorf("no %s", field[0])
		}
	}
	if err := checkURL(a.URL); err != nil {
		return a, errors.New("token_uri is not an address of https")
	}
	block, _ := pem.Decode([]byte(a.Key))
	if block == nil {
		return a, errors.New("private_key is not PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if _, ok := key.(*rsa.PrivateKey); err != nil || !ok {
		return a, errors.New("private_key is not a PKCS #8 key for RSA")
	}
	return a, nil
}

// bearers keeps the OAuth bearer by which FCM knows us, and gets another when it ends.
type bearers struct {
	config    jwt.Config
	transport http.RoundTripper
	turn      chan struct{} // holds an item while somebody looks at what follows
	text      string
	until     time.Time
}

func newBearers(a serviceAccount, transport http.RoundTripper) *bearers {
	return &bearers{
		config:    jwt.Config{Email: a.Email, PrivateKey: []byte(a.Key), PrivateKeyID: a.KeyID, TokenURL: a.URL, Scopes: []string{fcmScope}},
		transport: transport, turn: make(chan struct{}, 1),
	}
}

// get returns a bearer that is good at a time, and not the one that was refused. Whoever needs one at the same time waits for it
// rather than ask as well.
func (b *bearers) get(ctx context.Context, refused string, now time.Time) (string, error) {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	defer func() { <-b.turn }()
	if b.text != "" && b.text != refused && now.Add(bearerRest).Before(b.until) {
		return b.text, nil
	}
	// The package makes its request without a context, so the transport gives it ours; nor do its errors wrap what went wrong there.
	var lost error
	bound := roundTripper(func(r *http.Request) (*http.Response, error) {
		res, err := b.transport.RoundTrip(r.WithContext(ctx))
		lost = err
		return res, err
	})
	client := &http.Client{Transport: bound, CheckRedirect: asIs}
	token, err := b.config.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, client)).Token()
	if err != nil {
		return "", cmp.Or(ctx.Err(), lost, err)
	}
	b.text, b.until = token.AccessToken, now.Add(time.Until(token.Expiry))
	return b.text, nil
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip sends a request.
func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }
