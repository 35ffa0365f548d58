package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/notice"
)

// tell writes an entry of the list that an event asked for.
func (b *bundle) tell(t *testing.T, to functiontest.Person, typ string, refs object) int64 {
	t.Helper()
	encoded, err := json.Marshal(refs)
	require.NoError(t, err)
	return functiontest.Value[int64](t, b.Server, `
		INSERT INTO notification_message (event_id, user_id, channel, type, refs, state, expires_at, sent_at)
		VALUES (gen_random_uuid(), $1, 'app', $2, $3::text::jsonb, 'sent', now(), now()) RETURNING id`, to.ID, typ, string(encoded))
}

// remind writes an entry that a day asked for.
func (b *bundle) remind(t *testing.T, to functiontest.Person, typ string, subject int64, stage int) int64 {
	t.Helper()
	return functiontest.Value[int64](t, b.Server, `
		INSERT INTO notification_message (user_id, channel, type, refs, subject_id, occurrence_on, stage, state, expires_at, sent_at)
		VALUES ($1, 'app', $2, '{}', $3, '2026-11-30', $4, 'sent', now(), now()) RETURNING id`, to.ID, typ, subject, stage)
}

func (b *bundle) told(t *testing.T, token, query string) notifications {
	t.Helper()
	return functiontest.Read[notifications](t, b.Call(t, "GET", notices+query, token, nil), 200)
}

// An inbox is a home of bob's with ann in it, and an entry of each type about it in her list, oldest first.
type inbox struct {
	ann, bob                         functiontest.Person
	home, task, completion, document int64
	entries                          []int64
}

func (b *bundle) inbox(t *testing.T) inbox {
	t.Helper()
	in := inbox{ann: b.person(t, "ann"), bob: b.person(t, "bob")}
	in.home = b.Home(t, in.bob)
	b.Join(t, in.home, in.ann, home.Member)
	in.task = b.task(t, in.home, in.bob, &in.ann.ID)
	in.completion = functiontest.Value[int64](t, b.Server, `
		INSERT INTO task_taskcompletion (task_id, completed_by_id, completed_on, before_in_progress) VALUES ($1, $2, '2026-11-01', false) RETURNING id`, in.task, in.bob.ID)
	in.document = functiontest.Value[int64](t, b.Server, `
		INSERT INTO upload_document (residence_id, title, document_type) VALUES ($1, 'Boiler', 'warranty') RETURNING id`, in.home)
	in.entries = []int64{
		b.tell(t, in.ann, notice.TaskAssigned, object{"task_id": in.task, "residence_id": in.home, "assignee_id": in.ann.ID, "actor_id": in.bob.ID}),
		b.tell(t, in.ann, notice.TaskCompleted, object{"task_id": in.task, "completion_id": in.completion, "residence_id": in.home, "actor_id": in.bob.ID}),
		b.tell(t, in.ann, notice.ResidenceJoined, object{"residence_id": in.home, "user_id": in.bob.ID}),
		b.remind(t, in.ann, notice.TaskDueSoon, in.task, 3),
		b.remind(t, in.ann, notice.TaskOverdue, in.task, -2),
		b.remind(t, in.ann, notice.WarrantyExpiring, in.document, 30),
	}
	return in
}

func ids(list []notification) []int64 {
	found := []int64{}
	for _, n := range list {
		found = append(found, n.ID)
	}
	return found
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	b := setup(t)
	in := b.inbox(t)
	b.tell(t, in.bob, notice.TaskCompleted, object{"task_id": in.task, "completion_id": in.completion, "residence_id": in.home, "actor_id": in.ann.ID})
	b.Exec(t, `INSERT INTO notification_message (event_id, user_id, channel, type, refs, expires_at) VALUES (gen_random_uuid(), $1, 'email', 'residence_joined', $2::text::jsonb, now())`,
		in.ann.ID, fmt.Sprintf(`{"residence_id": %d, "user_id": %d}`, in.home, in.bob.ID))

	all := b.told(t, in.ann.Token, "")
	newestFirst := slices.Clone(in.entries)
	slices.Reverse(newestFirst)
	require.Equal(t, newestFirst, ids(all.Results))
	require.Equal(t, 6, all.UnreadCount)
	require.Nil(t, all.NextCursor)
	words := [][2]string{}
	for _, n := range all.Results {
		words = append(words, [2]string{n.Title, n.Body})
		require.Equal(t, in.home, n.ResidenceID)
		require.Nil(t, n.ReadAt)
		require.WithinDuration(t, time.Now(), n.CreatedAt, time.Minute)
	}
	require.Equal(t, [][2]string{
		{"Boiler", "The warranty ends in 30 days."},
		{"Sweep", "Overdue for 2 days at Home."},
		{"Sweep", "Due in 3 days at Home."},
		{"New at Home", "bob Tester joined."},
		{"Done: Sweep", "bob Tester took care of it at Home."},
		{"For you: Sweep", "bob Tester gave you a task at Home."},
	}, words)
	warranty, due, joined, done := all.Results[0], all.Results[2], all.Results[3], all.Results[4]
	require.Equal(t, in.document, *warranty.DocumentID)
	require.Nil(t, warranty.TaskID)
	require.Equal(t, in.task, *due.TaskID)
	require.Equal(t, "2026-11-30", due.DueOn.String())
	require.Nil(t, joined.TaskID)
	require.Equal(t, in.completion, *done.CompletionID)
	require.Nil(t, done.DueOn)

	// Words of now.
	b.Exec(t, `UPDATE task_task SET title = 'Scrub' WHERE id = $1`, in.task)
	b.Exec(t, `UPDATE residence_residence SET name = 'Lake house' WHERE id = $1`, in.home)
	b.Exec(t, `UPDATE auth_user SET first_name = 'Ben', last_name = '' WHERE id = $1`, in.bob.ID)
	require.Equal(t, "Ben took care of it at Lake house.", b.told(t, in.ann.Token, "").Results[4].Body)
	require.Equal(t, "Done: Scrub", b.told(t, in.ann.Token, "").Results[4].Title)
}

func TestNotificationPagesAndReading(t *testing.T) {
	t.Parallel()
	b := setup(t)
	in := b.inbox(t)
	first := b.told(t, in.ann.Token, "?limit=4")
	require.Len(t, first.Results, 4)
	rest := b.told(t, in.ann.Token, "?limit=4&cursor="+*first.NextCursor)
	require.Equal(t, []int64{in.entries[1], in.entries[0]}, ids(rest.Results))
	require.Equal(t, 6, rest.UnreadCount, "of all, whatever the page")
	require.Nil(t, rest.NextCursor)

	read := fmt.Sprint(notices, in.entries[1], "/read/")
	functiontest.Refused(t, b.Call(t, "POST", read, in.bob.Token, nil), 404)
	functiontest.Refused(t, b.Call(t, "POST", notices+"987654321/read/", in.ann.Token, nil), 404)
	require.Equal(t, 6, b.told(t, in.ann.Token, "").UnreadCount)
	require.Equal(t, 204, b.Call(t, "POST", read, in.ann.Token, nil).Status)
	then := b.told(t, in.ann.Token, "").Results[4].ReadAt
	require.NotNil(t, then)
	require.Equal(t, 204, b.Call(t, "POST", read, in.ann.Token, nil).Status)
	after := b.told(t, in.ann.Token, "")
	require.Equal(t, then, after.Results[4].ReadAt, "read once is read since then")
	require.Equal(t, 5, after.UnreadCount)
	require.NotContains(t, ids(b.told(t, in.ann.Token, "?unread=true").Results), in.entries[1])
	require.Len(t, b.told(t, in.ann.Token, "?unread=true").Results, 5)
	require.Len(t, b.told(t, in.ann.Token, "?unread=false").Results, 6)

	his := b.remind(t, in.bob, notice.TaskDueSoon, in.task, 0)
	require.Equal(t, 204, b.Call(t, "POST", notices+"read-all/", in.ann.Token, nil).Status)
	require.Empty(t, b.told(t, in.ann.Token, "?unread=true").Results)
	require.Zero(t, b.told(t, in.ann.Token, "").UnreadCount)
	require.Equal(t, then, b.told(t, in.ann.Token, "").Results[4].ReadAt)
	require.Equal(t, []int64{his}, ids(b.told(t, in.bob.Token, "?unread=true").Results))
	require.Equal(t, 204, b.Call(t, "POST", notices+"read-all/", in.ann.Token, nil).Status, "again")

	for _, query := range []string{"?unread=secret", "?unread=1x", "?limit=0", "?limit=101", "?cursor=secret", "?secret=1"} {
		r := b.Call(t, "GET", notices+query, in.ann.Token, nil)
		functiontest.Refused(t, r, 422)
		require.NotContains(t, string(r.Body), "secret", query)
	}
	for _, id := range []string{"0", "-1", "x", "99999999999999999999"} {
		functiontest.Refused(t, b.Call(t, "POST", notices+id+"/read/", in.ann.Token, nil), 422)
	}
}

// Nothing is shown of a home that the person left, or of what is gone; nor is it counted.
func TestNotificationsOfWhatIsOutOfSight(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		sql  string
		args func(in inbox) []any
		left []int // of the entries, newest first
	}{
		"she left":       {`DELETE FROM residence_member WHERE residence_id = $1 AND user_id = $2`, func(in inbox) []any { return []any{in.home, in.ann.ID} }, nil},
		"the home":       {`DELETE FROM residence_residence WHERE id = $1`, func(in inbox) []any { return []any{in.home} }, nil},
		"the task":       {`DELETE FROM task_task WHERE id = $1`, func(in inbox) []any { return []any{in.task} }, []int{5, 2}},
		"the completion": {`DELETE FROM task_taskcompletion WHERE id = $1`, func(in inbox) []any { return []any{in.completion} }, []int{5, 4, 3, 2, 0}},
		"the document":   {`DELETE FROM upload_document WHERE id = $1`, func(in inbox) []any { return []any{in.document} }, []int{4, 3, 2, 1, 0}},
		"who joined":     {`DELETE FROM residence_member WHERE residence_id = $1 AND user_id = $2`, func(in inbox) []any { return []any{in.home, in.bob.ID} }, []int{5, 4, 3, 1, 0}},
		"his account":    {`DELETE FROM auth_user WHERE id = $1`, func(in inbox) []any { return []any{in.bob.ID} }, []int{5, 4, 3, 1, 0}},
		"a task elsewhere": {`UPDATE notification_message SET
				subject_id = CASE WHEN event_id IS NULL AND type <> 'warranty_expiring' THEN $2::bigint ELSE subject_id END,
				refs = CASE WHEN refs ? 'task_id' THEN refs || jsonb_build_object('task_id', $2::bigint) ELSE refs END
			WHERE user_id = $1`, func(in inbox) []any { return []any{in.ann.ID, b.task(t, b.Home(t, in.bob), in.bob, nil)} }, []int{5, 2}},
	} {
		in := b.inbox(t)
		b.Exec(t, c.sql, c.args(in)...)
		want := []int64{}
		for _, at := range c.left {
			want = append(want, in.entries[at])
		}
		for _, query := range []string{"", "?unread=true"} {
			shown := b.told(t, in.ann.Token, query)
			require.Equal(t, want, ids(shown.Results), name)
			require.Equal(t, len(want), shown.UnreadCount, name)
		}
		if name == "his account" {
			require.Equal(t, "A member took care of it at Home.", b.told(t, in.ann.Token, "").Results[3].Body)
		}
	}
}

// What is not about a thing of a home is in no list, and a long one is not counted to its end.
func TestNotificationsAreOfHomes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	in := b.inbox(t)
	b.remind(t, in.ann, notice.DailyDigest, in.ann.ID, 0)
	b.tell(t, in.ann, notice.Security, object{"user_id": in.ann.ID})
	require.Len(t, b.told(t, in.ann.Token, "").Results, 6)
	b.Exec(t, `INSERT INTO notification_message (user_id, channel, type, refs, subject_id, occurrence_on, stage, state, expires_at)
		SELECT $1, 'app', 'task_overdue', '{}', $2, date '2026-01-01' + g, -1, 'sent', now() FROM generate_series(1, 200) g`, in.ann.ID, in.task)
	shown := b.told(t, in.ann.Token, "")
	require.Len(t, shown.Results, 50)
	require.Equal(t, maxUnread, shown.UnreadCount)
}
