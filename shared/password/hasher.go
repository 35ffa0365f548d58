// Package password keeps passwords: what is stored of them, whether one is right, and which are too easily guessed.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"runtime"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"github.com/honeydue/backend/shared/seats"
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

// NoHash is checked where there is no account, so that the answer takes as long. No password is known to give it.
const NoHash = hashPrefix + "d2hvIGlzIG5vdCBoZXJlIQ$4uLbH1oVZ0mYwz1pM2sT9xkQe7Jr5CfNqA8gD3iKvXo"

const (
	hashSeats    = 4 // of 19 MiB each, in a process: at most
	hashPatience = time.Second
)

// A Hasher turns passwords into what is stored of them, as many at a time as Seats has.
type Hasher struct{ Seats seats.Room }

// NewHasher returns a hasher for a process: it works on as many passwords at once as there are cores, on two at least and four at
// most. More would push each other's memory out of the cores' caches.
func NewHasher() *Hasher {
	return &Hasher{Seats: make(seats.Room, max(2, min(hashSeats, runtime.GOMAXPROCS(0))))}
}

func (h *Hasher) enter(ctx context.Context) (leave func(), err error) {
	return h.Seats.Enter(ctx, hashPatience, "Too many people are signing in at this moment.")
}

// Hash returns the PHC string to store of password. A second without a free seat is a problem 429.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // it never fails
	key := argon2.IDKey([]byte(password), salt, hashTime, hashMemory, hashThreads, keyBytes)
	return hashPrefix + base64.RawStdEncoding.EncodeToString(salt) + "$" + base64.RawStdEncoding.EncodeToString(key), nil
}

// Matches returns whether stored, argon2id or bcrypt, was made of password. A second without a free seat is a problem 429; any
// other error is that of a stored hash which is neither.
func (h *Hasher) Matches(ctx context.Context, stored, password string) (bool, error) {
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

// Outdated returns whether a login should replace the stored hash by one of today's cost.
func Outdated(stored string) bool { return !strings.HasPrefix(stored, hashPrefix) }
