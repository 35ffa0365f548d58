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

// The two logins of a function take turns, and a list of their passwords comes back as it was.
func TestLoginsTakeTurns(t *testing.T) {
	t.Parallel()
	require.Equal(t, "honeydue_tasks_b", turn("honeydue_tasks"))
	require.Equal(t, "honeydue_tasks", turn("honeydue_tasks_b"))

	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	l := logins{passwords: map[string]string{"honeydue_tasks_b": "y", "honeydue_tasks": "x"}, step: stepUsed, at: now, next: []string{"honeydue_auth", "honeydue_tasks_b"}}
	require.Equal(t, "honeydue_tasks:x,honeydue_tasks_b:y", l.text())
	passwords, err := parseLogins(l.text())
	require.NoError(t, err)
	require.Equal(t, l.passwords, passwords)
	for _, text := range []string{"", "honeydue_tasks", "honeydue_tasks:", ":x", "honeydue_tasks:x,"} {
		_, err := parseLogins(text)
		require.ErrorContains(t, err, "was changed by hand", text)
	}

	note, _ := l.note().(string)
	require.Equal(t, "used 2026-03-01T12:00:00Z honeydue_auth,honeydue_tasks_b", note)
	var read logins
	require.NoError(t, read.parseNote(note))
	require.Equal(t, logins{step: stepUsed, at: now, next: l.next}, read)
	for _, note := range []string{"used", "used 2026-03-01T12:00:00Z", "begun 2026-03-01T12:00:00Z x", "used today x"} {
		require.ErrorContains(t, read.parseNote(note), "not a step, an instant and logins", note)
	}
	l.step = stepNone
	require.Nil(t, l.note())
}

func TestOnlyTheSecretThatIsMeant(t *testing.T) {
	t.Parallel()
	made, err := only("honeydue-smtp", "honeydue-s3/S3_ACCESS_KEY=x\nhoneydue-smtp/SMTP_URL=smtp://a\n", "honeydue")
	require.NoError(t, err)
	require.Len(t, made, 1)
	require.Equal(t, "honeydue-smtp", made[0].GetName())
	_, err = only("honeydue-push", "honeydue-s3/S3_ACCESS_KEY=x\n", "honeydue")
	require.EqualError(t, err, "has no line of Secret honeydue-push")
	_, err = only("honeydue-push", "honeydue-push/KEY=\n", "honeydue")
	require.ErrorContains(t, err, "has no value")
}
