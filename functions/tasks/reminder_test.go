package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
)

func (b *bundle) nextReminder(t *testing.T, who functiontest.Person, id int64) *reminder {
	t.Helper()
	headers := functiontest.Header{Name: "X-Timezone", Value: "Pacific/Kiritimati"} // says nothing about reminders
	return functiontest.Read[taskOfCaller](t, b.Call(t, http.MethodGet, path(id), who.Token, nil, headers), 200).NextReminder.reminder
}

func TestNextReminder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `UPDATE auth_user SET time_zone = 'Asia/Kathmandu', task_due_soon_hour = 7, task_overdue_hour = 20 WHERE id = $1`, b.bob.ID)
	at := func(text string) time.Time {
		instant, err := time.Parse(time.RFC3339, text)
		require.NoError(t, err)
		return instant
	}
	// It is noon of 21 November.
	yearly := b.post(t, object{"due_date": "2026-12-21", "frequency_id": 8}).ID
	require.Equal(t, &reminder{at("2026-12-07T09:00:00Z"), "task_due_soon", 14}, b.nextReminder(t, b.ann, yearly), "the one of this morning is past")
	require.Equal(t, &reminder{at("2026-12-07T01:15:00Z"), "task_due_soon", 14}, b.nextReminder(t, b.bob, yearly))
	require.Nil(t, b.nextReminder(t, b.vera, yearly), "a viewer is not reminded")

	once := b.post(t, object{"due_date": "2026-11-22", "assigned_to_id": b.bob.ID}).ID
	require.Nil(t, b.nextReminder(t, b.ann, once), "it is another's")
	require.Equal(t, &reminder{at("2026-11-22T01:15:00Z"), "task_due_soon", 0}, b.nextReminder(t, b.bob, once))
	require.Equal(t, 200, b.Call(t, http.MethodPatch, path(once), b.ann.Token, object{"assigned_to_id": b.vera.ID}).Status)
	require.Equal(t, &reminder{at("2026-11-22T09:00:00Z"), "task_due_soon", 0}, b.nextReminder(t, b.vera, once), "a viewer who was given a task is")

	custom := b.post(t, object{"due_date": "2026-11-20", "recurrence": object{"every": 20, "unit": "day"}}).ID
	require.Equal(t, &reminder{at("2026-11-22T09:00:00Z"), "task_overdue", -2}, b.nextReminder(t, b.ann, custom))
	require.Equal(t, &reminder{at("2026-11-21T14:15:00Z"), "task_overdue", -1}, b.nextReminder(t, b.bob, custom))

	require.Nil(t, b.nextReminder(t, b.ann, b.post(t, nil).ID), "nothing is due")
	require.Nil(t, b.nextReminder(t, b.ann, b.post(t, object{"due_date": "2026-11-01"}).ID), "the last stage is past")
	for _, verbs := range [][2]string{{"mark-in-progress", "clear-in-progress"}, {"cancel", "uncancel"}, {"archive", "unarchive"}} {
		b.Call(t, http.MethodPost, path(custom, verbs[0]), b.ann.Token, nil)
		require.Nil(t, b.nextReminder(t, b.ann, custom), verbs[0])
		b.Call(t, http.MethodPost, path(custom, verbs[1]), b.ann.Token, nil)
		require.NotNil(t, b.nextReminder(t, b.ann, custom), verbs[1])
	}

	alone := b.Call(t, http.MethodGet, path(once), b.ann.Token, nil)
	require.Contains(t, string(alone.Body), `"next_reminder":null`)
	require.Equal(t, 1, strings.Count(string(alone.Body), `"id":`))
	require.NotContains(t, string(b.Call(t, http.MethodGet, "/api/tasks/search/", b.ann.Token, nil).Body), "next_reminder", "on this call alone")
	functiontest.Refused(t, b.Call(t, http.MethodGet, path(once), b.sam.Token, nil), 404)
}
