package notice_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/notice"
)

func TestLine(t *testing.T) {
	t.Parallel()
	require.Equal(t, "Zoë 👩‍🔧 Ångström", notice.Line(" Zoë\n👩‍🔧\u2028Ångström ", "nobody"))
	require.Equal(t, "nobody", notice.Line("\x00\x1b\u200f\u202e", "nobody"))
	require.Equal(t, strings.Repeat("é", 59)+"…", notice.Line(strings.Repeat("é", 61), ""))
	require.Equal(t, "a\n\n  b", notice.Paragraph("\r\na\r\n\n  b\x07\n"))
}

func TestWordsOfEachType(t *testing.T) {
	t.Parallel()
	facts := notice.Facts{Actor: "Ben Tester", Home: "Lake house", Task: "Clean the gutters", Document: "Boiler", Overdue: 2, DueThisWeek: 3, Warranties: 1}
	cases := []struct {
		typ                  string
		days                 int
		title, body, bodyKey string
	}{
		{notice.TaskAssigned, 0, "For you: Clean the gutters", "Ben Tester gave you a task at Lake house.", "task_assigned.body"},
		{notice.TaskCompleted, 0, "Done: Clean the gutters", "Ben Tester took care of it at Lake house.", "task_completed.body"},
		{notice.ResidenceJoined, 0, "New at Lake house", "Ben Tester joined.", "residence_joined.body"},
		{notice.TaskDueSoon, 0, "Clean the gutters", "Due today at Lake house.", "task_due_soon.body.today"},
		{notice.TaskDueSoon, 1, "Clean the gutters", "Due tomorrow at Lake house.", "task_due_soon.body.tomorrow"},
		{notice.TaskDueSoon, 14, "Clean the gutters", "Due in 14 days at Lake house.", "task_due_soon.body"},
		{notice.TaskOverdue, -1, "Clean the gutters", "Overdue since yesterday at Lake house.", "task_overdue.body.yesterday"},
		{notice.TaskOverdue, -6, "Clean the gutters", "Overdue for 6 days at Lake house.", "task_overdue.body"},
		{notice.WarrantyExpiring, 30, "Boiler", "The warranty ends in 30 days.", "warranty_expiring.body"},
		{notice.WarrantyExpiring, -1, "Boiler", "The warranty has ended.", "warranty_expiring.body.over"},
		{notice.DailyDigest, 0, "Your home today", "2 overdue, 3 due this week, 1 warranty ends soon.", "daily_digest.body"},
	}
	told := map[string]bool{}
	for _, c := range cases {
		f := facts
		f.Type, f.Days = c.typ, c.days
		words := notice.Of(f)
		require.Equal(t, c.title, words.Title, c.typ)
		require.Equal(t, c.body, words.Body, c.typ)
		require.Equal(t, c.typ+".title", words.TitleKey)
		require.Equal(t, c.bodyKey, words.BodyKey)
		require.NotEmpty(t, words.Args, c.typ)
		told[c.typ] = true
	}
	late := facts
	late.Type, late.Days = notice.TaskDueSoon, -1
	require.Equal(t, "task_overdue.body.yesterday", notice.Of(late).BodyKey)
	for _, typ := range notice.Switchable() {
		require.True(t, told[typ], typ)
	}
	require.Equal(t, "For you: A task", notice.Of(notice.Facts{Type: notice.TaskAssigned, Task: "\u202e"}).Title)
}
