package main

import (
	"crypto/rand"
	"encoding/base64"
)

const tokenBytes = 32

// newToken returns a fresh secret of 256 bits that signs a person in.
func newToken() string {
	secret := make([]byte, tokenBytes)
	_, _ = rand.Read(secret) // it never fails
	return "hd_" + base64.RawURLEncoding.EncodeToString(secret)
}
