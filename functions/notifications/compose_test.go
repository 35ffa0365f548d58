package main

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/notice"
)

func TestSettingsOfMails(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "myhoneydue.com", "//myhoneydue.com", "ftp://myhoneydue.com", "https://", "/api/"} {
		_, err := newComposer(config{PublicURL: address, APIURL: "https://api.myhoneydue.com"})
		require.EqualError(t, err, "PUBLIC_URL is not an absolute address", address)
		_, err = newComposer(config{PublicURL: "https://myhoneydue.com", APIURL: address})
		require.EqualError(t, err, "API_URL is not an absolute address", address)
	}
}

// received writes m's mail and reads it as a mail program does.
func (c *composer) received(t *testing.T, m message) received {
	t.Helper()
	msg, err := c.compose(m)
	require.NoError(t, err)
	var out strings.Builder
	_, err = msg.WriteTo(&out)
	require.NoError(t, err)
	for line := range strings.Lines(out.String()) {
		require.LessOrEqual(t, len(line), 1000, "RFC 5322 ends a line there")
	}
	mail, err := take([]byte(out.String()))
	require.NoError(t, err)
	return mail
}

func TestMailsOfPeopleWhoTypeStrangeThings(t *testing.T) {
	t.Parallel()
	c := testComposer(t)
	for name, typed := range map[string]string{
		"script":        `<script>alert(1)</script><img src=x onerror=alert(1)>`,
		"attribute":     `" style="display:none" x="`,
		"template":      `{{.Code}}{{template "button" .}}`,
		"header":        "a\r\nBcc: everyone@example.com\r\n\r\nanother body\x00",
		"encoded word":  "=?utf-8?q?a=0d=0aBcc:_everyone@example.com?=",
		"other breaks":  "a\u2028Bcc: everyone@example.com\u2029\u0085\v\f",
		"bidi":          "a\u202egnp.exe\u2066\u2069\u200f",
		"very long":     strings.Repeat("long ", 2000),
		"one long word": strings.Repeat("長", 10_000),
		"emoji":         "👩‍👩‍👧‍👦 clean the 🛁 with Zoë 🇩🇪",
		"not utf-8":     "a\xff\xfeb",
		"dots":          "a\n.\nMAIL FROM:<x@example.com>",
		"nothing":       " \t\u200f",
	} {
		for _, kind := range kinds {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				m := sample(kind)
				m.Actor, m.Home, m.Task, m.Document, m.Notes = typed, typed, typed, typed, typed+"."
				if m.Digest != nil {
					m.Digest.Overdue[0] = digestLine{Title: typed, Home: typed}
				}
				mail, plain := c.received(t, m), c.received(t, sample(kind))
				require.Equal(t, slices.Sorted(maps.Keys(plain.header)), slices.Sorted(maps.Keys(mail.header)), "no header more, none less")
				require.Equal(t, "<ben@example.com>", mail.header.Get("To"))
				require.Equal(t, plain.header.Get("List-Unsubscribe"), mail.header.Get("List-Unsubscribe"))
				require.Empty(t, mail.header.Get("Bcc"))
				require.LessOrEqual(t, utf8.RuneCountInString(mail.subject), 140)
				require.Less(t, len(mail.html), 60_000)
				for _, sign := range []string{"<", ">", `"`} {
					require.Equal(t, strings.Count(plain.html, sign), strings.Count(mail.html, sign), "what people typed is text and nothing else")
				}
				for _, part := range []string{mail.subject, mail.text, mail.html} {
					require.True(t, utf8.ValidString(part))
					require.NotContains(t, part, "\x00")
					require.False(t, strings.ContainsFunc(part, func(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) }))
				}
			})
		}
	}
}

func TestMailsOfEmptyNames(t *testing.T) {
	t.Parallel()
	c := testComposer(t)
	m := sample(typeAssigned)
	m.Task = "a\r\nBcc: everyone@example.com\x00\u202edrow" + strings.Repeat(" long", 40)
	m.Actor, m.Home, m.DueOn = " \t", "", nil
	mail := c.received(t, m)
	require.Equal(t, "For you: a Bcc: everyone@example.comdrow long long long long long lo…", mail.subject)
	require.Contains(t, mail.text, "A member gave you a task at your home")
	require.Contains(t, mail.text, "No due date")

	m.Address = "no address"
	_, err := c.compose(m)
	require.EqualError(t, err, "the recipient's address is not one that mail can be sent to")
	require.Equal(t, "dead", settlementOf(m, err).state)
}

// A mail that somebody may switch off says how, to the program and to the person; others do not.
func TestOneClickEndsMailsOfATypeToAPerson(t *testing.T) {
	t.Parallel()
	c := testComposer(t)
	switchable := 0
	for _, kind := range kinds {
		m := sample(kind)
		mail := c.received(t, m)
		if !notice.IsSwitchable(m.Type) {
			require.Empty(t, mail.header.Get("List-Unsubscribe"), kind)
			require.Empty(t, mail.header.Get("List-Unsubscribe-Post"), kind)
			require.NotContains(t, mail.text+mail.html, "unsubscribe", kind)
			continue
		}
		switchable++
		require.Equal(t, "List-Unsubscribe=One-Click", mail.header.Get("List-Unsubscribe-Post"))
		address := strings.Trim(mail.header.Get("List-Unsubscribe"), "<>")
		link, err := url.Parse(address)
		require.NoError(t, err)
		require.Equal(t, "https://api.myhoneydue.com/api/notifications/unsubscribe/", link.Scheme+"://"+link.Host+link.Path)
		user, typ, ok := code.Key(testKey).ReadUnsubscribe(link.Query().Get("token"))
		require.True(t, ok)
		require.Equal(t, m.UserID, user)
		require.Equal(t, m.Type, typ)
		require.Contains(t, mail.text, "Stop these mails: "+address+"\n")
		require.Contains(t, mail.html, `<a href="`+address+`"`)
	}
	require.Len(t, notice.Switchable(), switchable)
}

func TestMessageIDs(t *testing.T) {
	t.Parallel()
	c := testComposer(t)
	m := sample(typeAssigned)
	require.Equal(t, "message.7.0198e5a2-7c3b-7d44-9a55-3f0e6c1b2d77@myhoneydue.com", c.messageID(m))
	m.EventID = nil
	require.Equal(t, "message.7@myhoneydue.com", c.messageID(m))
}
