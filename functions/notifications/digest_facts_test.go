package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/home"
)

// TestDigestOf: what is told, in which order, and to whom.
func TestDigestOf(t *testing.T) {
	t.Parallel()
	k := newTicker(t, nine)
	anna, ben, vera := k.Person(t, "anna"), k.Person(t, "ben"), k.Person(t, "vera")
	at := k.Home(t, anna)
	k.Join(t, at, ben, home.Member)
	k.Join(t, at, vera, home.Viewer)
	today := date.In(nine, time.UTC)
	of := func(person int64) *digest {
		d, err := k.service.digestOf(t.Context(), person, today)
		require.NoError(t, err)
		return d
	}
	require.Nil(t, of(anna.ID), "nothing is there")

	task := func(title string, days int, more string) {
		k.Exec(t, `INSERT INTO task_task (residence_id, title, next_due_on) VALUES ($1, $2, $3::date + $4::int)`, at, title, nine, days)
		if more != "" {
			k.Exec(t, `UPDATE task_task SET `+more+` WHERE title = $1`, title)
		}
	}
	task("next week", 7, "")
	task("done", -3, "next_due_on = NULL")
	task("cancelled", -3, "is_cancelled = true")
	task("archived", -3, "is_archived = true")
	task("somebody is at it", -3, "in_progress = true")
	document := func(title string, days int) {
		k.Exec(t, `
			INSERT INTO upload_document (residence_id, title, document_type, warranty_expires_on)
			VALUES ($1, $2, 'warranty', $3::date + $4::int)`, at, title, nine, days)
	}
	document("ended", -1)
	document("later", 31)
	require.Nil(t, of(anna.ID), "nothing of that is told")

	for i := range linesOfDigest + 2 {
		task("overdue", -1-i, "")
	}
	task("this week", 6, "")
	task("today", 0, "")
	task("ben's", -90, "")
	k.Exec(t, `UPDATE task_task SET assigned_to_id = $1 WHERE title = 'ben''s'`, ben.ID)
	document("oven", 30)
	d := of(anna.ID)
	require.Len(t, d.Overdue, linesOfDigest)
	require.Equal(t, 2, d.MoreOverdue)
	require.Equal(t, digestLine{"overdue", "Home", today - 12}, d.Overdue[0], "the longest first")
	require.Equal(t, []digestLine{{"today", "Home", today}, {"this week", "Home", today + 6}}, d.DueThisWeek)
	require.Equal(t, []digestLine{{"oven", "Home", today + 30}}, d.Warranties)
	require.Zero(t, d.MoreDueThisWeek+d.MoreWarranties)
	require.Equal(t, "ben's", of(ben.ID).Overdue[0].Title)
	require.Equal(t, 3, of(ben.ID).MoreOverdue)
	require.Nil(t, of(vera.ID), "a viewer has no digest")
}
