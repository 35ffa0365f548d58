package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/date"
)

// updating returns whether the tests run with -update, which functiontest declares.
func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// sampleDay is the day that samples are written on.
const sampleDay = date.Date(20545) // 2026-04-02

// sample returns a message of each kind, with what people may have typed.
func sample(kind string) message {
	m := message{
		ID: 7, UserID: 12, Channel: channelEmail, Type: kind, Address: "ben@example.com", Zone: "Europe/Berlin",
		EventID: new(uuid.MustParse("0198e5a2-7c3b-7d44-9a55-3f0e6c1b2d77")),
		At:      time.Date(2026, 4, 2, 12, 0, 0, 0, time.UTC), FactAt: time.Date(2026, 4, 2, 11, 58, 0, 0, time.UTC),
		Actor: `Anna <b>O'Neil</b>`, Home: "Lake house & garden", Task: `Clean the "gutters" <script>alert(1)</script>`,
		Document: "Boiler <b>WX-200</b>", Notes: "Two nests, both empty.\nNext time: <longer> ladder & gloves.",
		DueOn: new(date.Of(2026, 10, 3)), DoneOn: new(sampleDay), CodeID: 3, Nonce: []byte("sixteen bytes ok"),
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
	case typeDueSoon:
		m.EventID, m.DueOn = nil, new(sampleDay.AddDays(7))
	case typeOverdue:
		m.EventID, m.DueOn = nil, new(sampleDay.AddDays(-6))
	case typeWarranty:
		m.EventID, m.DueOn = nil, new(sampleDay.AddDays(30))
	case typeDigest:
		m.EventID, m.Digest = nil, sampleDigest()
	}
	return m
}

// sampleDigest has a list that is too long, a short one and one of a single line.
func sampleDigest() *digest {
	d := &digest{
		DueThisWeek: []digestLine{
			{"Test the smoke alarms", "Lake house & garden", sampleDay},
			{"Water the plants that nobody else thinks of while all of us are away at sea", "Flat", date.Of(2026, 4, 6)},
		},
		Warranties: []digestLine{{"Boiler <b>WX-200</b>", "Lake house & garden", date.Of(2026, 4, 30)}}, MoreOverdue: 4,
	}
	for n := range linesOfDigest {
		d.Overdue = append(d.Overdue, digestLine{fmt.Sprintf("Clean <window> no. %d", n+1), "Lake house & garden", date.Of(2026, 3, 20).AddDays(n)})
	}
	return d
}

func testComposer(t *testing.T) *composer {
	t.Helper()
	cfg := config{PublicURL: "https://myhoneydue.com/", APIURL: "https://api.myhoneydue.com"}
	require.NoError(t, cfg.CodeKeys.Decode(string(testKey)))
	require.NoError(t, cfg.Mail.From.Decode("honeyDue <hello@myhoneydue.com>"))
	c, err := newComposer(cfg)
	require.NoError(t, err)
	c.now = func() time.Time { return sampleDay.Time().Add(12 * time.Hour) }
	return c
}

func TestMailsLookAsTheyDid(t *testing.T) {
	t.Parallel()
	c := testComposer(t)
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			m := sample(kind)
			require.Equal(t, kind, kindOf(m, sampleDay))
			w, err := c.templates.write(kind, c.viewOf(m))
			require.NoError(t, err)
			require.NotContains(t, w.html, "<script>")
			require.NotContains(t, w.html, "<b>")
			require.NotContains(t, w.html, "<window>")
			require.NotContains(t, w.subject, "\n")
			golden(t, kind+".txt", "Subject: "+w.subject+"\n\n"+w.text)
			golden(t, kind+".html", w.html)
			golden(t, kind+".headers", headersOf(t, c, m))
		})
	}
}

// headersOf returns a mail's headers as they are sent, but for a boundary that is always the same.
func headersOf(t *testing.T, c *composer, m message) string {
	t.Helper()
	msg, err := c.compose(m)
	require.NoError(t, err)
	msg.SetBoundary("boundary")
	var out strings.Builder
	_, err = msg.WriteTo(&out)
	require.NoError(t, err)
	headers, _, found := strings.Cut(out.String(), "\r\n\r\n")
	require.True(t, found)
	require.NotContains(t, strings.ReplaceAll(headers, "\r\n", ""), "\n")
	return strings.ReplaceAll(headers, "\r\n", "\n") + "\n"
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

func TestMailsSayHowFarAwayADayIs(t *testing.T) {
	t.Parallel()
	c := testComposer(t)
	for _, s := range []struct {
		typ     string
		days    int
		subject string
	}{
		{typeDueSoon, 0, "Due today: Mow"},
		{typeDueSoon, 1, "Due tomorrow: Mow"},
		{typeDueSoon, 14, "Due in 14 days: Mow"},
		{typeOverdue, -1, "Overdue since yesterday: Mow"},
		{typeOverdue, -12, "Overdue for 12 days: Mow"},
		{typeDueSoon, -1, "Overdue since yesterday: Mow"}, // a mail that is late
		{typeWarranty, -1, "Warranty has ended: Boiler"},
		{typeWarranty, 0, "Warranty ends today: Boiler"},
		{typeWarranty, 30, "Warranty ends in 30 days: Boiler"},
	} {
		m := sample(s.typ)
		m.Task, m.Document, m.DueOn = "Mow", "Boiler", new(sampleDay.AddDays(s.days))
		mail := c.received(t, m)
		require.Equal(t, s.subject, mail.subject)
		require.NotContains(t, mail.text, "is due since")
	}
}

func TestDigestLeavesOutWhatIsEmpty(t *testing.T) {
	t.Parallel()
	c := testComposer(t)
	m := sample(typeDigest)
	m.Digest = &digest{Warranties: []digestLine{{"Boiler", "Flat", date.Of(2026, 4, 30)}}}
	mail := c.received(t, m)
	require.Equal(t, "Your home today: 1 warranty ends soon", mail.subject)
	require.NotContains(t, mail.text, "Overdue")
	require.NotContains(t, mail.html, "Due this week")
	require.NotContains(t, mail.text, "more")

	m.Digest.Overdue = slices.Repeat([]digestLine{{"Mow", "Flat", date.Of(2026, 4, 1)}}, linesOfDigest+2)
	m.Digest.MoreOverdue = 3
	mail = c.received(t, m)
	require.Equal(t, "Your home today: 15 overdue, 1 warranty ends soon", mail.subject)
	require.Equal(t, linesOfDigest, strings.Count(mail.text, "Mow"))
	require.Contains(t, mail.text, "and 5 more")
}

func TestWords(t *testing.T) {
	t.Parallel()
	require.Empty(t, day(nil))
	at := time.Date(2026, 7, 1, 23, 30, 0, 0, time.UTC)
	require.Equal(t, "2 July 2026 at 01:30 CEST", instant(at, "Europe/Berlin"))
	require.Equal(t, "1 July 2026 at 23:30 UTC", instant(at, ""))
	require.Equal(t, "1 July 2026 at 23:30 UTC", instant(at, "Nowhere/Land"))
}
