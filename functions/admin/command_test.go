package main

import (
	"bytes"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
)

// TestCommand is not parallel: it sets the environment.
func TestCommand(t *testing.T) {
	b := setup(t)
	t.Setenv("DATABASE_URL", b.DB.URL("honeydue_admin"))
	t.Setenv("DATABASE_EXEC_MODE", b.DB.ExecMode())
	t.Setenv("ADMIN_URL", "http://admin.localhost:8080")
	var out, errs bytes.Buffer
	require.Zero(t, command([]string{"enrol", "-role", "support", "Olga@example.com"}, &out, &errs), errs.String())
	var link *url.URL
	for word := range strings.FieldsSeq(out.String()) {
		if strings.HasPrefix(word, "http") {
			var err error
			link, err = url.Parse(word)
			require.NoError(t, err)
		}
	}
	require.NotNil(t, link, out.String())
	require.Equal(t, "http://admin.localhost:8080/enrol/", link.Scheme+"://"+link.Host+link.Path)
	require.Equal(t, 200, b.browse(t, link.RequestURI(), "", nil).Status)
	require.Equal(t, "olga@example.com support", functiontest.Value[string](t, b.Server, `SELECT email || ' ' || role FROM admin_account WHERE enrolled_at IS NULL`))
	require.Equal(t, "invite operators/1 command line", functiontest.Value[string](t, b.Server, `SELECT act || ' ' || subject || ' ' || address FROM admin_audit WHERE account_id IS NULL`))

	require.Zero(t, command([]string{"enrol", "olga@example.com"}, &out, &errs), "again, without a role")
	require.Equal(t, "support", functiontest.Value[string](t, b.Server, `SELECT role FROM admin_account`))
	require.JSONEq(t, `{"role": "support", "disabled_at": null, "enrolled_at": null}`, functiontest.Value[string](t, b.Server, `SELECT before::text FROM admin_audit ORDER BY id DESC LIMIT 1`))

	for name, wrong := range map[string][]string{
		"another command":   {"enroll", "a@example.com"},
		"nobody":            {"enrol"},
		"two":               {"enrol", "a@example.com", "b@example.com"},
		"no address":        {"enrol", "olga"},
		"a name as well":    {"enrol", "Olga <olga@example.com>"},
		"another role":      {"enrol", "-role", "owner", "a@example.com"},
		"an unknown option": {"enrol", "-password", "x", "a@example.com"},
	} {
		var out, errs bytes.Buffer
		require.Equal(t, 2, command(wrong, &out, &errs), name)
		require.Contains(t, errs.String(), "usage: admin enrol", name)
		require.Empty(t, out.String(), name)
	}
	t.Setenv("ADMIN_URL", "admin")
	errs.Reset()
	require.Equal(t, 1, command([]string{"enrol", "a@example.com"}, &out, &errs))
	require.Contains(t, errs.String(), "ADMIN_URL")
	t.Setenv("ADMIN_URL", "https://admin.example.com")
	t.Setenv("DATABASE_URL", "postgres://nobody:hunter2@127.0.0.1:1/nothing")
	errs.Reset()
	require.Equal(t, 1, command([]string{"enrol", "a@example.com"}, &out, &errs))
	require.Contains(t, errs.String(), "check that DATABASE_URL")
	require.NotContains(t, errs.String(), "hunter2")
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM admin_account`))
}
