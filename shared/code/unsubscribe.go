package code

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// Unsubscribe returns the token of a link that ends the mails of one type to a person, without signing in. It is not secret from
// that person, says nothing about them but an id, and never ends.
func (k Key) Unsubscribe(user int64, typ string) string {
	return strconv.FormatInt(user, 10) + "." + typ + "." + base64.RawURLEncoding.EncodeToString(k.unsubscribe(user, typ))
}

// ReadUnsubscribe returns whom and what a token of [Key.Unsubscribe] is for; ok is false for any other text.
func (k Key) ReadUnsubscribe(token string) (user int64, typ string, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return 0, "", false
	}
	user, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return 0, "", false
	}
	// The token must be the very one: another way to write the same bytes is another text.
	return user, parts[1], hmac.Equal([]byte(token), []byte(k.Unsubscribe(user, parts[1])))
}

// unsubscribe is 128 bits: nobody can try as many.
func (k Key) unsubscribe(user int64, typ string) []byte {
	mac := hmac.New(sha256.New, k)
	_, _ = fmt.Fprintf(mac, "unsubscribe\x00%d\x00%s", user, typ)
	return mac.Sum(nil)[:16]
}
