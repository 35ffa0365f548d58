package password

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/honeydue/backend/shared/problem"
)

const uncommon = "seven quiet herons"

func TestHasher(t *testing.T) {
	t.Parallel()
	h := NewHasher()
	stored, err := h.Hash(t.Context(), uncommon)
	require.NoError(t, err)
	again, err := h.Hash(t.Context(), uncommon)
	require.NoError(t, err)
	require.NotEqual(t, stored, again, "each has its own salt")
	require.False(t, Outdated(stored))

	old, err := bcrypt.GenerateFromPassword([]byte(uncommon), bcrypt.MinCost)
	require.NoError(t, err)
	for _, known := range []struct {
		stored   string
		outdated bool
	}{
		{stored, false},
		{string(old), true},
		// Made by argon2's own command line program, of the password "password" and the salt "somesalt".
		{"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", true},
	} {
		word := uncommon
		if strings.Contains(known.stored, "m=65536") {
			word = "password"
		}
		right, err := h.Matches(t.Context(), known.stored, word)
		require.NoError(t, err)
		require.True(t, right, known.stored)
		wrong, err := h.Matches(t.Context(), known.stored, word+" ")
		require.NoError(t, err)
		require.False(t, wrong, known.stored)
		require.Equal(t, known.outdated, Outdated(known.stored))
	}
	require.Empty(t, h.Seats)
}

// What is checked where there is no account costs what an account's hash costs.
func TestNoHashCostsTheSame(t *testing.T) {
	t.Parallel()
	parsed, err := parseHash(NoHash)
	require.NoError(t, err)
	require.Equal(t, uint32(hashMemory), parsed.memory)
	require.Equal(t, uint32(hashTime), parsed.time)
	require.Equal(t, uint8(hashThreads), parsed.threads)
	require.Len(t, parsed.salt, saltBytes)
	require.Len(t, parsed.key, keyBytes)
}

// Who hangs up while waiting for a place does not take one.
func TestHasherGivesUp(t *testing.T) {
	t.Parallel()
	h := NewHasher()
	for range cap(h.Seats) {
		h.Seats <- struct{}{}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := h.Hash(gone, uncommon)
	var refused *problem.Problem
	require.ErrorAs(t, err, &refused)
	require.Equal(t, 429, refused.Status)
	require.Len(t, h.Seats, cap(h.Seats))
}

func FuzzParseHash(f *testing.F) {
	f.Add(NoHash)
	f.Add("$argon2id$v=19$m=-1,t=99999999999,p=300$A$A")
	f.Fuzz(func(t *testing.T, stored string) {
		if parsed, err := parseHash(stored); err == nil {
			require.NotZero(t, parsed.time)
			require.NotZero(t, parsed.threads)
			require.GreaterOrEqual(t, len(parsed.key), saltBytes)
		}
	})
}
