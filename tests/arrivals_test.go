package tests

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// arrived requires that every message that was sent arrived where it should, and nothing else, and returns when: of mails by
// message, of pushes by message and device.
func (r record) arrived(t *testing.T, v *village) (mails, pushes map[string][]time.Time) {
	t.Helper()
	mails, pushes = r.mails(t, v), r.pushes(t, v)
	for _, m := range r {
		if m.State != "sent" {
			continue
		}
		switch m.Channel {
		case "email":
			times := mails[fmt.Sprint(m.ID)]
			require.NotEmpty(t, times, "lost: %+v", m)
			require.LessOrEqual(t, len(times), m.Attempts, "%+v", m)
		case "push":
			for _, device := range v.person(m.UserID).devices {
				times := pushes[fmt.Sprint(m.ID, " to ", device)]
				require.NotEmpty(t, times, "lost: %+v", m)
				require.LessOrEqual(t, len(times), m.Attempts, "%+v", m)
			}
		}
	}
	return mails, pushes
}

// mails returns when each message arrived as a mail, at its person's address.
func (r record) mails(t *testing.T, v *village) map[string][]time.Time {
	t.Helper()
	at := map[string][]time.Time{}
	for _, mail := range v.system.Mailbox().Messages() {
		id := mail.Headers["X-Honeydue-Message"]
		m := r.row(t, id)
		require.Equal(t, "email", m.Channel, "%+v", m)
		require.Equal(t, []string{v.person(m.UserID).Email}, mail.To, "%+v", m)
		at[id] = append(at[id], mail.At)
	}
	return at
}

// pushes returns when each message arrived as a push, at each device of its person.
func (r record) pushes(t *testing.T, v *village) map[string][]time.Time {
	t.Helper()
	at := map[string][]time.Time{}
	for _, push := range v.system.Pushes().Pushes() {
		id := fmt.Sprint(push.Data["message_id"])
		if number, ok := push.Data["message_id"].(float64); ok { // of APNs; the other provider has strings alone
			id = fmt.Sprintf("%.0f", number)
		}
		m := r.row(t, id)
		require.Equal(t, "push", m.Channel, "%+v", m)
		require.Contains(t, v.person(m.UserID).devices, push.DeviceToken, "%+v", m)
		key := id + " to " + push.DeviceToken
		at[key] = append(at[key], push.At)
	}
	return at
}

// row returns the message that arrived under that id, which must have been sent.
func (r record) row(t *testing.T, id string) row {
	t.Helper()
	var number int64
	_, err := fmt.Sscan(id, &number)
	require.NoError(t, err)
	m, ok := r[number]
	require.True(t, ok, "nobody knows of message %s", id)
	require.Equal(t, "sent", m.State, "it arrived: %+v", m)
	return m
}

func (v *village) person(id int64) *villager {
	return v.people[slices.IndexFunc(v.people, func(p *villager) bool { return p.ID == id })]
}
