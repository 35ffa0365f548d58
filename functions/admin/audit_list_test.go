package main

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
)

// line adds one to the log and returns its id.
func (b *bundle) line(t *testing.T, by *int64, subject, before, after string) int64 {
	t.Helper()
	return functiontest.Value[int64](t, b.Server, `
		INSERT INTO admin_audit (account_id, act, subject, before, after, address)
		VALUES ($1, 'disable', $2, nullif($3, '')::jsonb, nullif($4, '')::jsonb, '192.0.2.7') RETURNING id`, by, subject, before, after)
}

func TestAudit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me, other := b.operator(t, supportRole), b.operator(t, adminRole)
	first := b.line(t, nil, fmt.Sprintf("operators/%d", me.ID), "", `{"role": "admin"}`)
	b.line(t, &other.ID, "people/7", `{"a": "<b>"}`, `{"a": null}`)
	b.line(t, &other.ID, "people/70", "", "")
	b.line(t, &me.ID, "people/7", `{"a": null}`, "")
	theirs := fmt.Sprintf("?operators=%d&", other.ID)
	for query, want := range map[string][]int{"?": {3, 2, 1, 0}, "?people=7&": {3, 1}, "?people=8&": nil, theirs: {2, 1}} {
		for _, limit := range []int{1, 50} {
			var found []int
			for _, l := range all[auditLine](t, b, me, "/api/admin/audit/"+query, limit) {
				found = append(found, int(l.ID-first))
			}
			require.Equal(t, want, found, query)
		}
	}
	page := b.browse(t, "/audit/", me.Cookie, nil)
	require.Equal(t, 200, page.Status)
	require.Contains(t, page.Body, `<a href="/people/7/"><bdi>people/7</bdi></a>`)
	require.Contains(t, page.Body, fmt.Sprintf(`<a href="/operators/%d/"><bdi>%s</bdi></a>`, other.ID, other.Email))
	require.Contains(t, page.Body, `command line`)
	require.Contains(t, page.Body, `{&#34;a&#34;: &#34;&lt;b&gt;&#34;} → {&#34;a&#34;: null}`)
	file := b.browse(t, "/audit.csv?people=7", me.Cookie, nil)
	require.Regexp(t, `^When,Who,Act,To,Before → after,From\n20[^,]+Z,`+me.Email+`,disable,people/7,"{""a"": null} → –",192.0.2.7\n20`, file.Body)
	require.Equal(t, 404, b.browse(t, "/audit/1/", me.Cookie, nil).Status, "a line has no page")
	functiontest.Refused(t, b.Call(t, "GET", "/api/admin/audit/?homes=1", me.Token, nil), 422)

	own := b.browse(t, fmt.Sprintf("/operators/%d/", other.ID), me.Cookie, nil)
	require.Contains(t, own.Body, "people/70")
	require.NotContains(t, own.Body, "{&#34;a&#34;: null} → –", "what others did is not there")
}

// TestAuditStays tries to change and to shorten the log as the function's own role, and as the owner of the schema.
func TestAuditStays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.line(t, nil, "people/7", "", "")
	function, err := pgxpool.New(t.Context(), b.DB.DirectURL("honeydue_admin"))
	require.NoError(t, err)
	defer function.Close()
	for _, sql := range []string{
		`UPDATE admin_audit SET act = 'enable'`, `UPDATE admin_audit SET at = now() WHERE id = 1`, `DELETE FROM admin_audit`, `TRUNCATE admin_audit`,
		`TRUNCATE admin_audit CASCADE`, `DELETE FROM admin_account`, `TRUNCATE admin_account CASCADE`,
		`ALTER TABLE admin_audit DISABLE TRIGGER ALL`, `DROP TRIGGER admin_audit_row ON admin_audit`, `DROP TABLE admin_audit`, `SET session_replication_role = replica`,
	} {
		_, err := function.Exec(t.Context(), sql)
		require.ErrorContains(t, err, "42501", sql)
	}
	for _, sql := range []string{`UPDATE admin_audit SET act = 'enable'`, `DELETE FROM admin_audit`, `TRUNCATE admin_audit`} {
		_, err := b.Owner.Exec(t.Context(), sql)
		require.ErrorContains(t, err, "the audit log is only ever added to", sql)
	}
	require.Equal(t, "disable", functiontest.Value[string](t, b.Server, `SELECT act FROM admin_audit`))
}
