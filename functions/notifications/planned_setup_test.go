package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/push"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// A planned home is one of anna and ben, each with a phone, who will be told of two tasks that are due soon, of two that are overdue, of two
// warranties and of their day. One of each two is a spare, which only its people change.
type planned struct {
	*bundle
	double *push.Double
	hour   time.Time // when all of it is due
}

func newPlanned(t *testing.T) planned {
	t.Helper()
	b := setup(t)
	p := planned{bundle: b, double: b.withPhones(t), hour: b.atTheHour(t)}
	b.service.deadline = longestDeadline // what is given back for being late waits for another tick
	b.phone(t, b.anna, platformIOS, iphone.Token)
	b.phone(t, b.ben, platformAndroid, pixel.Token)
	b.Exec(t, `UPDATE auth_user SET muted = '{}'`)
	b.Exec(t, `DELETE FROM residence_member WHERE user_id = $1`, b.cleo.ID)
	b.Exec(t, `DELETE FROM task_task`)
	for _, which := range []string{"", "spare-"} {
		b.dueIn(t, p.hour, 7, which+"soon")
		b.dueIn(t, p.hour, -3, which+"late")
		b.endsIn(t, p.hour, 30, which+"paper")
	}
	_, whole, err := b.service.planReminders(t.Context())
	require.NoError(t, err)
	require.True(t, whole)
	_, whole, err = b.service.planDigests(t.Context())
	require.NoError(t, err)
	require.True(t, whole)
	require.True(t, functiontest.Value[bool](t, b.Server, `SELECT bool_and(expires_at = $1) FROM notification_message`, p.hour.Add(24*time.Hour)))
	b.Exec(t, `DELETE FROM notification_message WHERE channel = 'app'`)
	return p
}

// everything is the outcome of all messages when nothing changes, by "ben spare-soon push" and the like.
func everything(outcome string) map[string]string {
	rows := map[string]string{}
	for _, person := range []string{"anna", "ben"} {
		for _, channel := range []string{channelEmail, channelPush} {
			for _, subject := range []string{"soon", "late", "paper", "spare-soon", "spare-late", "spare-paper", "day"} {
				rows[person+" "+subject+" "+channel] = outcome
			}
		}
	}
	return rows
}

// remember notes what each message is about, while that is there.
func (p planned) remember(t *testing.T) map[int64]string {
	t.Helper()
	rows, err := p.Owner.Query(t.Context(), `
		SELECT m.id, concat_ws(' ', lower(u.first_name), coalesce(task.title, document.title, 'day'), m.channel)
		FROM notification_message m JOIN auth_user u ON u.id = m.user_id
			LEFT JOIN task_task task ON m.type IN ('task_due_soon', 'task_overdue') AND task.id = m.subject_id
			LEFT JOIN upload_document document ON m.type = 'warranty_expiring' AND document.id = m.subject_id`)
	require.NoError(t, err)
	names := map[int64]string{}
	var id int64
	var name string
	_, err = pgx.ForEachRow(rows, []any{&id, &name}, func() error { names[id] = name; return nil })
	require.NoError(t, err)
	require.Equal(t, slices.Sorted(maps.Keys(everything(""))), slices.Sorted(maps.Values(names)))
	return names
}

// outcomes returns the state, attempts and reason of each message by its name.
func (p planned) outcomes(t *testing.T, names map[int64]string) map[string]string {
	t.Helper()
	rows, err := p.Owner.Query(t.Context(), `SELECT id, concat_ws(' ', state, attempts, last_error) FROM notification_message`)
	require.NoError(t, err)
	outcomes := map[string]string{}
	var id int64
	var outcome string
	_, err = pgx.ForEachRow(rows, []any{&id, &outcome}, func() error { outcomes[names[id]] = outcome; return nil })
	require.NoError(t, err)
	return outcomes
}

// arrived returns the names of all messages that reached a mailbox or a phone.
func (p planned) arrived(t *testing.T, names map[int64]string) []string {
	t.Helper()
	var arrived []string
	add := func(id string) {
		n, err := strconv.ParseInt(id, 10, 64)
		require.NoError(t, err)
		arrived = append(arrived, names[n])
	}
	for _, mail := range p.mail.all() {
		add(mail.header.Get("X-Honeydue-Message"))
	}
	for _, taken := range p.double.Pushes() {
		add(fmt.Sprint(taken.Data["message_id"]))
	}
	slices.Sort(arrived)
	return arrived
}

// about returns the names that hold a word of each of some, such as "ben soon|late".
func about(words string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(everything(""))), func(name string) bool {
		return slices.ContainsFunc(strings.Fields(words), func(word string) bool {
			return !slices.ContainsFunc(strings.Split(word, "|"), func(one string) bool { return slices.Contains(strings.Fields(name), one) })
		})
	})
}

// check has the schedule deliver, and fails unless all messages are sent but those whose outcomes others says, by words about them; and
// unless what is sent has arrived once, and nothing else.
func (p planned) check(t *testing.T, names map[int64]string, others map[string]string) {
	t.Helper()
	want := everything("sent 1")
	for words, outcome := range others {
		require.NotEmpty(t, about(words), words)
		for _, name := range about(words) {
			want[name] = outcome
		}
	}
	p.tick(t)
	require.Equal(t, want, p.outcomes(t, names))
	sent := slices.DeleteFunc(slices.Sorted(maps.Keys(want)), func(name string) bool { return !strings.HasPrefix(want[name], "sent ") })
	require.NotEmpty(t, sent, "what is still true is told")
	require.Equal(t, sent, p.arrived(t, names))
}
