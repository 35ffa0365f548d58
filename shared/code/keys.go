package code

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Keys are the key in use, which signs, and those before it, which are still believed, so that a new one can take over while mails are on
// their way.
type Keys struct {
	current Key
	former  []Key // whose codes and links count
	links   []Key // of which the links alone count
}

// linksOf stands before a key of which the links alone count: codes live for minutes, links for ever.
const linksOf = "links:"

// Decode reads keys that commas part, the one in use first: "new,former,links:older". Its error says which one is wrong and never
// what it is.
func (k *Keys) Decode(text string) error {
	var read Keys
	var seen []string
	for i, part := range strings.Split(text, ",") {
		secret, links := strings.CutPrefix(strings.TrimSpace(part), linksOf)
		var one Key
		if err := one.Decode(secret); err != nil {
			return fmt.Errorf("key %d of those that commas part: %w", i+1, err)
		}
		if slices.Contains(seen, secret) {
			return fmt.Errorf("key %d of those that commas part stands twice", i+1)
		}
		seen = append(seen, secret)
		switch {
		case i == 0 && links:
			return errors.New("the first key is the one in use, which signs codes too")
		case i == 0:
			read.current = one
		case links:
			read.links = append(read.links, one)
		default:
			read.former = append(read.former, one)
		}
	}
	*k = read
	return nil
}

// Derive is [Key.Derive] with the key in use.
func (k Keys) Derive(purpose string, user, id int64, nonce []byte) string {
	return k.current.Derive(purpose, user, id, nonce)
}

// Derived returns whether digits are those of that row by a key that counts. How long it takes tells nothing of the digits.
func (k Keys) Derived(digits, purpose string, user, id int64, nonce []byte) bool {
	right := 0
	for _, key := range append([]Key{k.current}, k.former...) {
		right |= subtle.ConstantTimeCompare([]byte(key.Derive(purpose, user, id, nonce)), []byte(digits))
	}
	return right == 1
}

// Unsubscribe is [Key.Unsubscribe] with the key in use.
func (k Keys) Unsubscribe(user int64, typ string) string { return k.current.Unsubscribe(user, typ) }

// ReadUnsubscribe is [Key.ReadUnsubscribe] for a token of any of the keys.
func (k Keys) ReadUnsubscribe(token string) (user int64, typ string, ok bool) {
	for _, key := range slices.Concat([]Key{k.current}, k.former, k.links) {
		if user, typ, ok = key.ReadUnsubscribe(token); ok {
			return user, typ, true
		}
	}
	return 0, "", false
}
