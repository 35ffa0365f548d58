package main

import (
	"crypto/rand"
	"encoding/base64"
)

const tokenBytes = 32

// newToken returns a fresh secret of 256 bits that signs a person in.
func newToken() string { return "hd_" + base64.RawURLEncoding.EncodeToString(random(tokenBytes)) }

// random returns n bytes that nobody can guess.
func random(n int) []byte {
	bytes := make([]byte, n)
	_, _ = rand.Read(bytes) // it never fails
	return bytes
}
