package main

import (
	"crypto/subtle"
	"encoding/base32"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

// Codes are those that every authenticator app knows (RFC 6238): six digits, SHA-1, a new one every 30 seconds.
const (
	totpPeriod = 30
	totpBytes  = 20
	totpIssuer = "honeyDue admin"
)

// drift is by how many steps a phone's clock may be early or late.
const drift = 1

// totpStep returns the step of time whose code of secret that is, or 0 when it is none of now.
func totpStep(secret []byte, code string, now time.Time) int64 {
	step := now.Unix() / totpPeriod
	var found int64
	for s := step - drift; s <= step+drift; s++ {
		want, err := totp.GenerateCodeCustom(base32Of(secret), time.Unix(s*totpPeriod, 0), totp.ValidateOpts{Period: totpPeriod, Digits: otp.DigitsSix})
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			found = s
		}
	}
	return found
}

func base32Of(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

// totpURI is what the QR code of an enrolment holds, as authenticator apps read it.
func totpURI(email string, secret []byte) string {
	values := url.Values{"secret": {base32Of(secret)}, "issuer": {totpIssuer}, "period": {strconv.Itoa(totpPeriod)}, "digits": {"6"}, "algorithm": {"SHA1"}}
	return (&url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + totpIssuer + ":" + email, RawQuery: strings.ReplaceAll(values.Encode(), "+", "%20")}).String()
}

// Recovery codes stand in for a phone that is lost, each once.
const (
	recoveryCodes     = 10
	recoveryCodeBytes = 10
)

// newRecoveryCodes returns codes of 16 letters and digits, in groups of four.
func newRecoveryCodes() []string {
	codes := make([]string, recoveryCodes)
	for i := range codes {
		text := strings.ToLower(base32Of(random(recoveryCodeBytes)))
		codes[i] = strings.Join([]string{text[:4], text[4:8], text[8:12], text[12:]}, "-")
	}
	return codes
}

// plainCode is a code as people type it, without what they put between its parts.
func plainCode(typed string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(typed))
}
