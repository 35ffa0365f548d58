package main

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// Cost of a new hash: OWASP's second choice of argon2id, 19 MiB and two passes.
const (
	hashMemory  = 19 * 1024 // KiB
	hashTime    = 2
	hashThreads = 1
	saltBytes   = 16
	keyBytes    = 32
)

// hashPrefix is that of every hash made now, in PHC's string format.
const hashPrefix = "$argon2id$v=19$m=19456,t=2,p=1$"

// noHash is checked where there is no account, so that the answer takes as long. No password is known to give it.
const noHash = hashPrefix + "d2hvIGlzIG5vdCBoZXJlIQ$4uLbH1oVZ0mYwz1pM2sT9xkQe7Jr5CfNqA8gD3iKvXo"

const (
	hashSeats    = 4 // of 19 MiB each, in a process
	hashPatience = time.Second
)

// hasher turns passwords into what is stored of them, a few at a time.
type hasher struct{ seats seats }

func newHasher() *hasher { return &hasher{seats: make(seats, hashSeats)} }

func (h *hasher) enter(ctx context.Context) (leave func(), err error) {
	return h.seats.enter(ctx, hashPatience, "Too many people are signing in at this moment.")
}

// hash returns the PHC string to store of password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	salt := random(saltBytes)
	key := argon2.IDKey([]byte(password), salt, hashTime, hashMemory, hashThreads, keyBytes)
	return hashPrefix + base64.RawStdEncoding.EncodeToString(salt) + "$" + base64.RawStdEncoding.EncodeToString(key), nil
}

// matches returns whether stored, argon2id or bcrypt, was made of password.
func (h *hasher) matches(ctx context.Context, stored, password string) (bool, error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	if !strings.HasPrefix(stored, "$argon2id$") {
		err := bcrypt.CompareHashAndPassword([]byte(stored), []byte(password))
		if err == nil || errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
			return err == nil, nil
		}
		return false, errors.New("the stored password hash is neither argon2id nor bcrypt")
	}
	parsed, err := parseHash(stored)
	if err != nil {
		return false, err
	}
	key := argon2.IDKey([]byte(password), parsed.salt, parsed.time, parsed.memory, parsed.threads, uint32(len(parsed.key))) //nolint:gosec // a key is short
	return subtle.ConstantTimeCompare(key, parsed.key) == 1, nil
}

// outdated returns whether a login should replace the stored hash by one of today's cost.
func outdated(stored string) bool { return !strings.HasPrefix(stored, hashPrefix) }

// phc is an argon2id hash taken apart.
type phc struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

// parseHash reads a PHC string: an older one may have had another cost.
func parseHash(stored string) (phc, error) {
	broken := errors.New("the stored password hash is not a PHC string of argon2id")
	parts := strings.Split(stored, "$")
	if len(parts) != 6 || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return phc{}, broken
	}
	var h phc
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads); err != nil || h.time < 1 || h.threads < 1 {
		return phc{}, broken
	}
	var err error
	if h.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return phc{}, broken
	}
	if h.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(h.key) < saltBytes {
		return phc{}, broken
	}
	return h, nil
}
