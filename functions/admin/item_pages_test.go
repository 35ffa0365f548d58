package main

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/board"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
)

// rowsOf returns the rows below a heading of a page, each with its cells' texts between bars.
func rowsOf(t *testing.T, page, heading string) []string {
	t.Helper()
	_, below, found := strings.Cut(page, "<h2>"+heading+"</h2>")
	require.True(t, found, "%s is missing", heading)
	below, _, _ = strings.Cut(below, "<h2>")
	_, below, _ = strings.Cut(below, "<tbody>")
	rows := []string{}
	for _, row := range regexp.MustCompile(`(?s)<tr>(.*?)</tr>`).FindAllStringSubmatch(below, -1) {
		var cells []string
		for _, cell := range regexp.MustCompile(`(?s)<td[^>]*>(.*?)</td>`).FindAllStringSubmatch(row[1], -1) {
			cells = append(cells, html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(cell[1], "")))
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
	return rows
}

const someDay = `[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}`

func TestPersonPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	admin, support := b.operator(t, adminRole), b.operator(t, supportRole)
	ann, bob := b.Person(t, "ann"), b.Person(t, "bob")
	own, shared := b.Home(t, ann), b.Home(t, bob)
	b.Join(t, shared, ann, home.Member)
	b.Exec(t, `UPDATE residence_residence SET name = '<b>Lake</b>' WHERE id = $1`, shared)
	b.Exec(t, `UPDATE auth_session SET device_name = 'Ann''s phone' WHERE user_id = $1`, ann.ID)
	b.Exec(t, `INSERT INTO auth_session (user_id, token_hash, expires_at) VALUES ($1, 'gone', now())`, ann.ID)
	b.Exec(t, `INSERT INTO auth_device (user_id, session_id, platform, token, app_version) SELECT user_id, id, 'ios', 'x', '2.4.0' FROM auth_session WHERE user_id = $1 AND expires_at > now()`, ann.ID)
	b.Exec(t, `INSERT INTO task_task (residence_id, title, assigned_to_id) VALUES ($1, 'Mow', $2), ($1, 'Sweep', $3)`, shared, ann.ID, bob.ID)
	b.Exec(t, `INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, expires_at) VALUES ($1, 'document_file', 'application/pdf', 9, 0, 'x', now())`, ann.ID)
	b.Exec(t, `INSERT INTO notification_message (event_id, user_id, channel, type, refs, expires_at) VALUES (gen_random_uuid(), $1, 'email', 'security', '{}', now())`, ann.ID)
	path := fmt.Sprintf("/people/%d/", ann.ID)
	require.Equal(t, 303, b.act(t, path+"disable/", admin).Status)
	require.Equal(t, 303, b.act(t, path+"enable/", admin).Status)

	page := b.browse(t, path, admin.Cookie, nil)
	require.Equal(t, 200, page.Status, page.Body)
	role := fmt.Sprintf(`<a href="/people/%d/change-role/?home=%d&amp;role=member">`, ann.ID, shared)
	require.Contains(t, page.Body, role)
	require.NotContains(t, page.Body, fmt.Sprintf("change-role/?home=%d", own))
	require.NotContains(t, page.Body, "<b>Lake")
	homesOf := rowsOf(t, page.Body, "Homes")
	require.Len(t, homesOf, 2)
	require.Regexp(t, `^<b>Lake</b>\|member\|`+someDay+`$`, homesOf[0])
	require.Regexp(t, `^Home\|owner\|`+someDay+`$`, homesOf[1])
	require.Empty(t, rowsOf(t, page.Body, "Sessions"), "disabling ended them")
	require.Len(t, rowsOf(t, page.Body, "Tasks that they have"), 1)
	require.Len(t, rowsOf(t, page.Body, "Uploads"), 1)
	require.Len(t, rowsOf(t, page.Body, "Deliveries"), 1)
	require.Len(t, rowsOf(t, page.Body, b.service.resource(audit).listing.head().Title), 2)

	b.Exec(t, `INSERT INTO auth_session (user_id, token_hash, device_name, expires_at) VALUES ($1, 'new', 'Ann''s phone', now() + interval '1 day')`, ann.ID)
	b.Exec(t, `INSERT INTO auth_device (user_id, session_id, platform, token, app_version) SELECT user_id, id, 'ios', 'y', '2.4.0' FROM auth_session WHERE user_id = $1 AND expires_at > now()`, ann.ID)
	page = b.browse(t, path, support.Cookie, nil)
	require.NotContains(t, page.Body, "change-role")
	require.Regexp(t, `^Ann's phone\|`+someDay+`\|`+someDay+`\|`+someDay+`$`, rowsOf(t, page.Body, "Sessions")[0])
	require.Regexp(t, `^–\|ios\|2\.4\.0\|`+someDay+`$`, rowsOf(t, page.Body, "Devices that get pushes")[0])
	read := functiontest.Read[personDetail](t, b.Call(t, "GET", "/api/admin"+path, support.Token, nil), 200)
	require.Equal(t, ann.Email, read.Email)
	require.Equal(t, []int64{shared, own}, []int64{read.Homes[0].HomeID, read.Homes[1].HomeID})
	require.Len(t, read.Sessions, 1)
	require.Len(t, read.Devices, 1)
}

func TestHomePage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	as := b.operator(t, supportRole)
	ann, bob := b.Person(t, "ann"), b.Person(t, "bob")
	at := b.Home(t, ann)
	b.Join(t, at, bob, home.Viewer)
	b.Exec(t, `UPDATE residence_residence SET name = 'Elm Street', city = 'Austin', bathrooms = 2.5, pool = false, purchase_price = 315000 WHERE id = $1`, at)
	b.Exec(t, `INSERT INTO task_task (residence_id, title) VALUES ($1, 'Mow')`, at)
	b.Exec(t, `INSERT INTO upload_document (residence_id, title, document_type, warranty_expires_on) VALUES ($1, 'Heater', 'warranty', '2035-04-12')`, at)
	path := fmt.Sprintf("/homes/%d/", at)
	page := b.browse(t, path, as.Cookie, nil)
	require.Equal(t, 200, page.Status, page.Body)
	require.Regexp(t, `<dt>Bathrooms</dt><dd><bdi>2\.5</bdi>`, strings.ReplaceAll(page.Body, "\n", ""))
	require.Regexp(t, `<dt>Open to join until</dt><dd><span class="none">`, strings.ReplaceAll(page.Body, "\n", ""))
	members := rowsOf(t, page.Body, "Members")
	require.Len(t, members, 2)
	require.Regexp(t, "^"+ann.Email+`\|owner\|`, members[0])
	require.Regexp(t, "^"+bob.Email+`\|viewer\|`, members[1])
	require.Regexp(t, `^Heater\|warranty\|2035-04-12\|`, rowsOf(t, page.Body, "Documents")[0])
	require.Len(t, rowsOf(t, page.Body, "Tasks"), 1)
	require.Empty(t, rowsOf(t, page.Body, "Uploads"))

	b.Exec(t, `INSERT INTO residence_share_code (residence_id, code_hash, created_by_id, expires_at) VALUES ($1, 'x', $2, now() + interval '1 hour')`, at, ann.ID)
	read := functiontest.Read[homeDetail](t, b.Call(t, "GET", "/api/admin"+path, as.Token, nil), 200)
	require.NotNil(t, read.SharedUntil)
	require.Equal(t, "2.5", *read.Bathrooms)
	require.False(t, *read.Pool)
	b.Exec(t, `UPDATE residence_share_code SET expires_at = now()`)
	require.Nil(t, functiontest.Read[homeDetail](t, b.Call(t, "GET", "/api/admin"+path, as.Token, nil), 200).SharedUntil)
}

func TestTaskPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	as := b.operator(t, supportRole)
	ann, bob := b.Person(t, "ann"), b.Person(t, "bob")
	at := b.Home(t, ann)
	id := functiontest.Value[int64](t, b.Server, `
		INSERT INTO task_task (residence_id, title, category_id, priority_id, recurrence, due_on, next_due_on, estimated_cost, created_by_id, completion_count, last_completed_on)
		VALUES ($1, 'Mow', 5, 2, '{"every": 3, "unit": "week"}', '2026-06-01', '2026-06-22', 12.5, $2, 1, '2026-06-01') RETURNING id`, at, ann.ID)
	b.Exec(t, `
		INSERT INTO task_taskcompletion (task_id, kind, completed_by_id, unassigned_id, completed_on, occurrence_on, actual_cost, rating, notes, before_in_progress)
		VALUES ($1, 'unassigned', NULL, $3, '2026-05-01', NULL, NULL, NULL, NULL, false), ($1, 'completed', $2, NULL, '2026-06-01', '2026-06-01', 10, 4, '<hr>', false)`, id, ann.ID, bob.ID)
	path := fmt.Sprintf("/tasks/%d/", id)
	page := b.browse(t, path, as.Cookie, nil)
	require.Equal(t, 200, page.Status, page.Body)
	require.Equal(t, []string{"completed|" + ann.Email + "|2026-06-01|2026-06-01|10.00|4|<hr>", "unassigned|" + bob.Email + "|2026-05-01|–|–|–|–"}, rowsOf(t, page.Body, "History"))
	for _, fact := range []string{"Garden", "Medium", "12.50", "2026-06-22", html.EscapeString(`{"unit": "week", "every": 3}`), ann.Email} {
		require.Contains(t, page.Body, "<bdi>"+fact+"</bdi>")
	}
	read := functiontest.Read[taskDetail](t, b.Call(t, "GET", "/api/admin"+path, as.Token, nil), 200)
	require.Equal(t, "open", read.State)
	require.Len(t, read.History, 2)
}

// TestStatesOfTasks holds the states against the columns of the app's board.
func TestStatesOfTasks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	as := b.operator(t, supportRole)
	at := b.Home(t, b.Person(t, "ann"))
	due, err := date.Parse("2026-06-01")
	require.NoError(t, err)
	for bits := range 32 {
		on := func(bit int) bool { return bits>>bit&1 == 1 }
		s := board.State{InProgress: on(0), IsCancelled: on(1), IsArchived: on(2), CompletionCount: bits >> 3 & 1}
		if on(4) {
			s.NextDueOn = &due
		}
		id := functiontest.Value[int64](t, b.Server, `
			INSERT INTO task_task (residence_id, title, in_progress, is_cancelled, is_archived, completion_count, next_due_on) VALUES ($1, 'Mow', $2, $3, $4, $5, $6::date) RETURNING id`,
			at, s.InProgress, s.IsCancelled, s.IsArchived, s.CompletionCount, s.NextDueOn)
		want := map[board.Column]string{board.Completed: "completed", board.InProgress: "in_progress", board.Hidden: "archived"}[board.Of(s, due, board.DefaultThreshold)]
		switch {
		case s.IsCancelled:
			want = "cancelled"
		case want == "":
			want = "open"
		}
		read := functiontest.Read[taskDetail](t, b.Call(t, "GET", fmt.Sprintf("/api/admin/tasks/%d/", id), as.Token, nil), 200)
		require.Equal(t, want, read.State, "%+v", s)
	}
}
