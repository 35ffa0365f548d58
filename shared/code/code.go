// Package code is about the six digits that a mail carries. They are stored nowhere: who sends them and who checks
// them compute them from the code's row and a key that only these two hold.
package code

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// A Key is the secret from which codes are derived: at least 32 bytes.
type Key []byte

// Decode reads a key as text of at least 32 bytes.
func (k *Key) Decode(text string) error {
	if len(text) < 32 {
		return errors.New("shorter than 32 bytes")
	}
	*k = Key(text)
	return nil
}

// What a code is for, as auth_code.purpose names it.
const (
	ForVerifyEmail   = "verify_email"
	ForChangeEmail   = "change_email"
	ForResetPassword = "reset_password"
)

// Life of a code, in minutes as people are told, and how often it may be tried.
const (
	Minutes = 10
	Life    = Minutes * time.Minute
	Tries   = 5
)

// Derive returns the six digits of the row id of auth_code with that purpose, person and nonce.
func (k Key) Derive(purpose string, user, id int64, nonce []byte) string {
	mac := hmac.New(sha256.New, k)
	_, _ = fmt.Fprintf(mac, "%s\x00%d\x00%d\x00", purpose, user, id)
	_, _ = mac.Write(nonce)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint64(mac.Sum(nil))%1_000_000)
}
