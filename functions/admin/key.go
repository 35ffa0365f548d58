package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const keyBytes = 32

// key seals what a copy of the database must not give away: the secrets of TOTP.
type key []byte

// Decode reads 32 bytes in hexadecimal.
func (k *key) Decode(text string) error {
	decoded, err := hex.DecodeString(text)
	if err != nil || len(decoded) != keyBytes {
		return errors.New("not 32 bytes in hexadecimal")
	}
	*k = decoded
	return nil
}

// keys are the key in use, which seals, and those before it, which still open, so that a new one can take over.
type keys []key

// Decode reads keys that commas part, the one in use first. Its error says which one is wrong and never what it is.
func (k *keys) Decode(text string) error {
	var read keys
	for i, part := range strings.Split(text, ",") {
		var one key
		if err := one.Decode(strings.TrimSpace(part)); err != nil {
			return fmt.Errorf("key %d of those that commas part: %w", i+1, err)
		}
		if slices.ContainsFunc(read, func(k key) bool { return bytes.Equal(k, one) }) {
			return fmt.Errorf("key %d of those that commas part stands twice", i+1)
		}
		read = append(read, one)
	}
	*k = read
	return nil
}

func (k keys) seal(account int64, secret []byte) ([]byte, error) { return k[0].seal(account, secret) }

// open returns what seal was given for the account; anew is it as the key in use seals it, nil when that has sealed it already.
func (k keys) open(account int64, sealed []byte) (secret, anew []byte, err error) {
	for i, one := range k {
		if secret, err = one.open(account, sealed); err != nil {
			continue
		}
		if i > 0 {
			anew, err = k.seal(account, secret)
		}
		return secret, anew, err
	}
	return nil, nil, err
}

func (k key) aead() (cipher.AEAD, error) {
	block, err := aes.NewCipher(k.derive("seal"))
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	sealed, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	return sealed, nil
}

// seal encrypts the secret of an account: it opens for no other one.
func (k key) seal(account int64, secret []byte) ([]byte, error) {
	aead, err := k.aead()
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, secret, owner(account)), nil //nolint:gosec // this AEAD makes a random nonce by itself
}

// open returns what seal was given for the account.
func (k key) open(account int64, sealed []byte) ([]byte, error) {
	aead, err := k.aead()
	if err != nil {
		return nil, err
	}
	secret, err := aead.Open(nil, nil, sealed, owner(account))
	if err != nil {
		return nil, errors.New("the secret was sealed with another ADMIN_KEY: enrol the account again with make admin")
	}
	return secret, nil
}

// derive returns 32 bytes for one purpose, out of parts.
func (k key) derive(purpose string, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, k)
	_, _ = mac.Write([]byte(purpose)) // a hash takes everything
	for _, part := range parts {
		_, _ = mac.Write(append([]byte{0}, part...))
	}
	return mac.Sum(nil)
}

func owner(account int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(account)) } //nolint:gosec // ids are positive

// random returns n bytes that nobody can guess.
func random(n int) []byte {
	made := make([]byte, n)
	_, _ = rand.Read(made) // it never fails
	return made
}
