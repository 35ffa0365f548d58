package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/sideshow/apns2/token"
)

// APNs takes a provider token for an hour from its issue, and refuses a sender that shows a new one more than every 20 minutes.
// Processes of ours come and go more often than that, so all of them make the same token at the same time: it is issued at the
// begin of a term, and its signature is the deterministic one (RFC 6979).
const (
	tokenTerm  = 30 * time.Minute
	tokenRest  = 20 * time.Minute // before which none is made anew
	clockSlack = 5 * time.Minute  // a token's issue lies back at least this long, however wrong our clock is
)

// A providerToken is the JSON Web Token by which APNs knows us.
type providerToken struct {
	key         *ecdsa.PrivateKey
	keyID, team string

	mu     sync.Mutex
	issued time.Time
	text   string
}

func newProviderToken(cfg apnsConfig) (*providerToken, error) {
	key, err := token.AuthKeyFromBytes([]byte(strings.ReplaceAll(cfg.Key, `\n`, "\n")))
	if err != nil || key.Curve != elliptic.P256() {
		return nil, errors.New("APNS_KEY is not a .p8 file with a key of the curve P-256")
	}
	t := &providerToken{key: key, keyID: cfg.KeyID, team: cfg.Team}
	if _, err := t.sign(time.Unix(0, 0)); err != nil {
		return nil, fmt.Errorf("APNS_KEY does not sign: %w", err)
	}
	return t, nil
}

// current returns the token that counts at a time.
func (t *providerToken) current(now time.Time) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if term := now.Add(-clockSlack).Truncate(tokenTerm); t.text == "" || term.After(t.issued) && now.Sub(t.issued) >= tokenRest {
		t.issue(term)
	}
	return t.text
}

// renew returns another token than the one that was refused, or the same when it is too early for another. Of those who are refused at
// the same time, all get the same new one.
func (t *providerToken) renew(refused string, now time.Time) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.text == refused && !t.renewedLately(now) {
		t.issue(now)
	}
	return t.text
}

// renewedLately returns whether the token is one that a refusal made: only the others are issued at the begin of a term.
func (t *providerToken) renewedLately(now time.Time) bool {
	return !t.issued.Equal(t.issued.Truncate(tokenTerm)) && now.Sub(t.issued) < tokenRest
}

func (t *providerToken) issue(at time.Time) {
	text, err := t.sign(at)
	if err != nil {
		return // one that has signed goes on to
	}
	t.text, t.issued = text, at
}

// sign makes a token by ES256 (RFC 7518 §3.4).
func (t *providerToken) sign(at time.Time) (string, error) {
	header, _ := json.Marshal(map[string]string{"alg": "ES256", "kid": t.keyID})
	claims, _ := json.Marshal(map[string]any{"iss": t.team, "iat": at.Unix()})
	text := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	hash := sha256.Sum256([]byte(text))
	der, err := t.key.Sign(nil, hash[:], crypto.SHA256)
	if err != nil {
		return "", err
	}
	var signature struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &signature); err != nil {
		return "", err
	}
	var both [64]byte
	signature.R.FillBytes(both[:32])
	signature.S.FillBytes(both[32:])
	return text + "." + base64.RawURLEncoding.EncodeToString(both[:]), nil
}
