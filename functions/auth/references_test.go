package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
)

// What becomes of a row when the person whom it names goes.
const (
	goes   = "CASCADE"
	stays  = "SET NULL" // nameless
	unsafe = "something that keeps people from going"
)

// decided says what becomes of each column that names a person. A new one belongs here, and with stays also among what a deletion locks.
func decided() map[string]string {
	return map[string]string{
		"auth_code.user_id":                   goes,
		"auth_device.user_id":                 goes,
		"auth_email_change.user_id":           goes,
		"auth_session.user_id":                goes,
		"notification_message.user_id":        goes,
		"pending_uploads.user_id":             goes,
		"residence_contractor.created_by_id":  stays,
		"residence_member.user_id":            goes,
		"residence_residence.created_by_id":   stays,
		"residence_share_code.created_by_id":  goes,
		"shared_idempotency.user_id":          goes,
		"task_task.assigned_to_id":            stays,
		"task_task.created_by_id":             stays,
		"task_taskcompletion.completed_by_id": stays,
		"task_taskcompletion.unassigned_id":   stays,
		"upload_document.created_by_id":       stays,
		"upload_media.created_by_id":          stays,
	}
}

// read returns the rows of sql as a value by name.
func read(t *testing.T, b *bundle, sql string) map[string]string {
	t.Helper()
	rows, err := b.Owner.Query(t.Context(), sql)
	require.NoError(t, err)
	found := map[string]string{}
	var name, value string
	_, err = pgx.ForEachRow(rows, []any{&name, &value}, func() error {
		found[name] = value
		return nil
	})
	require.NoError(t, err)
	return found
}

const selectReferences = `
SELECT c.conrelid::regclass || '.' || string_agg(a.attname, ',' ORDER BY a.attnum),
    CASE c.confdeltype WHEN 'c' THEN '` + goes + `' WHEN 'n' THEN '` + stays + `' ELSE '` + unsafe + `' END
FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey)
WHERE c.contype = 'f' AND c.confrelid = 'auth_user'::regclass GROUP BY c.oid, c.conrelid, c.confdeltype`

func TestEveryColumnThatNamesAPersonIsDecided(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.Equal(t, decided(), read(t, b, selectReferences))

	people := regexp.MustCompile(`(^|_)(user|person|people|account|member|owner|actor|author|creator|sender|recipient|assignee|assigned|unassigned|inviter|invited|by|who|whom)(_|s?$)|(user|person|member|owner)_?ids?$`)
	ofOperators := []string{"admin_audit.account_id", "admin_recovery_code.account_id", "admin_session.account_id"}
	columns := read(t, b, `SELECT table_name || '.' || column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'`)
	require.Greater(t, len(columns), 100)
	seen := 0
	for name, typ := range columns {
		_, column, _ := strings.Cut(name, ".")
		if !people.MatchString(column) || slices.Contains(ofOperators, name) {
			continue
		}
		seen++
		require.NotEmpty(t, decided()[name], "%s (%s) seems to name a person and has no foreign key", name, typ)
	}
	require.Equal(t, len(decided()), seen, "a column that names a person has a name that does not sound like it")
}

// Whoever goes is found by an index in every table, and every home that names them is locked before.
func TestWhoGoesIsFoundEverywhere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	indexed := read(t, b, `
		SELECT DISTINCT i.indrelid::regclass || '.' || a.attname, ''
		FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]`)
	for name := range decided() {
		require.Contains(t, indexed, name, "every deletion reads the whole table")
		table, column, _ := strings.Cut(name, ".")
		if strings.HasPrefix(table, "residence_") || strings.HasPrefix(table, "task_") || strings.HasPrefix(table, "upload_") {
			from := regexp.MustCompile(`FROM ` + table + `\b[^U]* WHERE (c\.)?` + column + ` = \$1`)
			require.Regexp(t, from, selectTouched)
		}
	}
}

// Two deletions lock in one order, whatever they find: by id.
func TestDepartures(t *testing.T) {
	t.Parallel()
	d := departureOf(2, []place{
		{3, 9, "owner"}, {3, 2, "member"},
		{4, 2, "owner"},
		{5, 7, "member"}, {5, 2, "owner"}, {5, 8, "viewer"},
		{6, 1, "owner"},
	})
	require.Equal(t, departure{
		people: []int64{1, 2, 7, 8, 9}, homes: []int64{3, 4, 5, 6},
		ended: []int64{4}, handed: []int64{5}, heirs: []int64{7},
	}, d)
	require.True(t, slices.IsSorted(d.people))
	require.True(t, d.covers(departureOf(2, []place{{4, 2, "owner"}})))
	require.False(t, d.covers(departureOf(2, []place{{7, 2, "owner"}})), "another home")
	require.False(t, d.covers(departureOf(2, []place{{4, 2, "owner"}, {4, 11, "member"}})), "another person")
	require.Equal(t, departure{people: []int64{2}}, departureOf(2, nil))
}

// tables returns all tables, sorted.
func (b *bundle) tables(t *testing.T) []string {
	t.Helper()
	return slices.Sorted(maps.Keys(read(t, b, `SELECT table_name, '' FROM information_schema.tables WHERE table_schema = 'public'`)))
}

// mentions returns the tables in which any value holds text, in whatever case, as it is or as bytes.
func (b *bundle) mentions(t *testing.T, text string) []string {
	t.Helper()
	var found []string
	for _, table := range b.tables(t) {
		n := functiontest.Value[int](t, b.Server, `
			SELECT count(*) FROM `+pgx.Identifier{table}.Sanitize()+` r
			WHERE position(lower($1) IN lower(r::text)) > 0 OR position(encode(convert_to($1, 'UTF8'), 'hex') IN r::text) > 0`, text)
		if n > 0 {
			found = append(found, table)
		}
	}
	return found
}
