package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A rotation never has a function meet a code that it cannot check: the new key is known before it signs, and the old one is
// believed for as long as its codes live.
func TestStepsOfARotation(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	fresh := func() string { return "new" }
	codes := rotations["code-key"]
	begin := ring{keys: []string{"old", "links:older"}}
	known, err := begin.next(codes, fresh, now)
	require.NoError(t, err)
	require.Equal(t, ring{[]string{"old", "new", "links:older"}, stepKnown, now}, known)
	require.Equal(t, "known 2026-03-01T12:00:00Z", known.note())
	signs, err := known.next(codes, fresh, now)
	require.NoError(t, err)
	require.Equal(t, ring{[]string{"new", "old", "links:older"}, stepSigns, now}, signs)
	_, err = signs.next(codes, fresh, now.Add(codes.settle-time.Second))
	require.ErrorContains(t, err, "until 2026-03-01T12:30:00Z")
	done, err := signs.next(codes, fresh, now.Add(codes.settle))
	require.NoError(t, err)
	require.Equal(t, []string{"new", "links:old", "links:older"}, done.keys)
	require.Nil(t, done.note())
	require.Equal(t, []string{"old", "links:older"}, begin.keys, "what was read stays")

	_, err = ring{keys: []string{"old", "links:older"}, step: stepKnown}.next(codes, fresh, now)
	require.ErrorContains(t, err, "was changed by hand")
	_, err = ring{keys: []string{"old"}, step: "begun"}.next(codes, fresh, now)
	require.ErrorContains(t, err, "is no step")
	_, err = ring{keys: []string{"old"}, step: stepSigns}.next(codes, fresh, now)
	require.ErrorContains(t, err, "was changed by hand")
	require.Len(t, freshKey(), 64)
	another := freshKey()
	require.NotEqual(t, another, freshKey())
}

// The key that seals goes once everybody has signed in, and leaves nothing behind.
func TestStepsOfASealingKey(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	seals, g := rotations["admin-key"], ring{keys: []string{"old"}}
	for _, want := range []ring{
		{[]string{"old", "new"}, stepKnown, now}, {[]string{"new", "old"}, stepSigns, now}, {[]string{"new"}, stepNone, now.Add(seals.settle)},
	} {
		var err error
		g, err = g.next(seals, func() string { return "new" }, want.at)
		require.NoError(t, err)
		require.Equal(t, want, g)
	}
}
