package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/date"
)

// updating returns whether the tests run with -update, which functiontest declares.
func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// sample returns a message of each kind, with what people may have typed.
func sample(kind string) message {
	m := message{
		ID: 7, UserID: 12, Type: kind, Address: "ben@example.com", Zone: "Europe/Berlin",
		At: time.Date(2026, 4, 2, 12, 0, 0, 0, time.UTC), FactAt: time.Date(2026, 4, 2, 11, 58, 0, 0, time.UTC),
		Actor: `Anna <b>O'Neil</b>`, Home: "Lake house & garden", Task: `Clean the "gutters" <script>alert(1)</script>`,
		Notes: "Two nests, both empty.\nNext time: <longer> ladder & gloves.",
		DueOn: new(date.Of(2026, 10, 3)), DoneOn: new(date.Of(2026, 4, 2)), CodeID: 3, Nonce: []byte("sixteen bytes ok"),
	}
	switch kind {
	case typeVerification:
		m.Purpose = "verify_email"
	case "change_email":
		m.Type, m.Purpose = typeVerification, "change_email"
	case typePasswordReset:
		m.Purpose = "reset_password"
	case "password_changed":
		m.Type = typeSecurity
	case "email_changed":
		m.Type, m.NewsOfOld = typeSecurity, true
	}
	return m
}

func testComposer(t *testing.T) *composer {
	t.Helper()
	cfg := config{CodeKey: testKey, PublicURL: "https://api.myhoneydue.com/"}
	require.NoError(t, cfg.Mail.From.Decode("honeyDue <hello@myhoneydue.com>"))
	c, err := newComposer(cfg)
	require.NoError(t, err)
	return c
}

func TestMailsLookAsTheyDid(t *testing.T) {
	t.Parallel()
	c := testComposer(t)
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			m := sample(kind)
			require.Equal(t, kind, kindOf(m))
			w, err := c.templates.write(kind, c.viewOf(m))
			require.NoError(t, err)
			require.NotContains(t, w.html, "<script>")
			require.NotContains(t, w.html, "<b>O")
			require.NotContains(t, w.subject, "\n")
			golden(t, kind+".txt", "Subject: "+w.subject+"\n\n"+w.text)
			golden(t, kind+".html", w.html)
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if updating() {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "run the test with -update when this is meant")
}

func TestMailsOfPeopleWhoTypeStrangeThings(t *testing.T) {
	t.Parallel()
	c := testComposer(t)
	m := sample(typeAssigned)
	m.Task = "a\r\nBcc: everyone@example.com\x00\u202edrow" + strings.Repeat(" long", 40)
	m.Actor, m.Home, m.DueOn = " \t", "", nil
	msg, err := c.compose(m)
	require.NoError(t, err)
	var out strings.Builder
	_, err = msg.WriteTo(&out)
	require.NoError(t, err)
	received, err := take([]byte(out.String()))
	require.NoError(t, err)
	require.Equal(t, "For you: a Bcc: everyone@example.comdrow long long long long long lo…", received.subject)
	require.Empty(t, received.header.Get("Bcc"))
	require.Contains(t, received.text, "A member gave you a task at your home")
	require.Contains(t, received.text, "No due date")

	m.Address = "no address"
	_, err = c.compose(m)
	require.EqualError(t, err, "the recipient's address is not one that mail can be sent to")
	require.Equal(t, "dead", settlementOf(m, err).state)
}

func TestWords(t *testing.T) {
	t.Parallel()
	require.Equal(t, "Zoë 👩‍🔧 Ångström", line(" Zoë\n👩‍🔧\u2028Ångström ", "nobody"))
	require.Equal(t, "nobody", line("\x00\x1b\u200f\u202e", "nobody"))
	require.Equal(t, strings.Repeat("é", 59)+"…", line(strings.Repeat("é", 61), ""))
	require.Equal(t, "a\n\n  b", paragraph("\r\na\r\n\n  b\x07\n"))
	require.Empty(t, day(nil))
	at := time.Date(2026, 7, 1, 23, 30, 0, 0, time.UTC)
	require.Equal(t, "2 July 2026 at 01:30 CEST", instant(at, "Europe/Berlin"))
	require.Equal(t, "1 July 2026 at 23:30 UTC", instant(at, ""))
	require.Equal(t, "1 July 2026 at 23:30 UTC", instant(at, "Nowhere/Land"))
}
