package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/push"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// arrivals writes down the only mail and all pushes as they arrived.
func (w *told) arrivals(t *testing.T) string {
	t.Helper()
	mail := w.mail.one(t)
	var out strings.Builder
	fmt.Fprintf(&out, "-- mail from %s to %s --\n", mail.from, mail.to)
	require.Regexp(t, `^multipart/alternative; boundary=[0-9a-f]+$`, mail.header.Get("Content-Type"))
	mail.header["Content-Type"] = []string{"multipart/alternative; boundary={boundary}"}
	mail.header["Subject"] = []string{mail.subject}
	for _, name := range slices.Sorted(maps.Keys(mail.header)) {
		for _, value := range mail.header[name] {
			fmt.Fprintf(&out, "%s: %s\n", name, value)
		}
	}
	fmt.Fprintf(&out, "\n-- text --\n%s\n-- html --\n%s", mail.text, mail.html)
	pushes := w.double.Pushes()
	slices.SortFunc(pushes, func(a, b push.Push) int { return strings.Compare(a.Platform, b.Platform) })
	for _, p := range pushes {
		fmt.Fprintf(&out, "\n-- push to %s %s --\n", p.Platform, p.DeviceToken)
		delete(p.Headers, "content-length")
		for _, name := range slices.Sorted(maps.Keys(p.Headers)) {
			fmt.Fprintf(&out, "%s: %s\n", name, p.Headers[name])
		}
		out.WriteString("\n")
		var payload bytes.Buffer
		require.NoError(t, json.Indent(&payload, p.Payload, "", "  "))
		out.WriteString(strings.TrimSpace(payload.String()) + "\n")
	}
	return out.String()
}

// A sent is a message's row.
type sent struct {
	id                 int64
	created, fact, end time.Time
}

func (w *told) sent(t *testing.T, channel string) (s sent) {
	t.Helper()
	require.NoError(t, w.Owner.QueryRow(t.Context(), `
		SELECT m.id, m.created_at, coalesce(c.changed_at, e.time, m.created_at), m.expires_at
		FROM notification_message m LEFT JOIN outbox_event e ON e.id = m.event_id
			LEFT JOIN auth_email_change c ON c.id = (m.refs->>'change_id')::bigint
		WHERE m.channel = $1`, channel).Scan(&s.id, &s.created, &s.fact, &s.end))
	return s
}

// timeless names what is another each time: ids of events and messages, the person's address, and dates.
func (w *told) timeless(t *testing.T, text string) string {
	t.Helper()
	mail := w.sent(t, channelEmail)
	names := []string{
		w.person.Email, "{address}",
		mail.created.UTC().Format(time.RFC1123Z), "{planned}",
		instant(mail.fact, "UTC"), "{happened}",
	}
	if w.event != uuid.Nil {
		names = append(names, w.event.String(), "{event}")
	}
	rows := map[string]int64{"mail": mail.id}
	if len(w.double.Pushes()) > 0 {
		row := w.sent(t, channelPush)
		rows["push"] = row.id
		require.True(t, row.end.Equal(mail.end))
		left := int(row.end.Sub(w.hour).Seconds())
		names = append(names, strconv.FormatInt(row.end.Unix(), 10), "{expires}", fmt.Sprintf(`"ttl": "%ds"`, left), `"ttl": "{until it expires}"`)
		for _, device := range functiontest.Value[[]int64](t, w.Server, `SELECT array_agg(id) FROM auth_device`) {
			id := uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "https://myhoneydue.com/push/%d/%d", row.id, device))
			names = append(names, id.String(), "{of message and device}")
		}
	}
	for _, days := range []int{-40, -3, 0, 5, 7, 10, 25, 30} {
		day, name := w.hour.AddDate(0, 0, days), fmt.Sprintf("{in %d days}", days)
		names = append(names, day.Format("Monday, 2 January 2006"), name, day.Format("2 Jan 2006"), name)
	}
	text = strings.NewReplacer(names...).Replace(text)
	for name, id := range rows {
		// Of a mail, in Message-ID and X-Honeydue-Message; of a push, in its payload and what it collapses with.
		text = regexp.MustCompile(fmt.Sprintf(`(message\.|Message: |message-|"message_id": "?)%d\b`, id)).ReplaceAllString(text, "${1}{"+name+"}")
	}
	return text
}
