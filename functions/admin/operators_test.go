package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
)

func (a account) path() string { return fmt.Sprintf("/operators/%d/", a.ID) }

func TestOperators(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me, ben, gone := b.operator(t, supportRole), b.operator(t, adminRole), b.operator(t, adminRole)
	b.invited(t, "new@example.com", adminRole)
	b.Exec(t, `UPDATE admin_account SET disabled_at = now() WHERE id = $1`, gone.ID)
	b.Exec(t, `UPDATE admin_session SET expires_at = now() WHERE account_id = $1 AND kind = 'api'`, ben.ID)
	for query, want := range map[string][]string{
		"?":                {"new@example.com", gone.Email, ben.Email, me.Email},
		"?state=active&":   {ben.Email, me.Email},
		"?state=disabled&": {gone.Email},
		"?state=invited&":  {"new@example.com"},
		"?q=NEW%40&":       {"new@example.com"},
		"?q=%25&":          nil,
	} {
		for _, limit := range []int{1, 50} {
			var found []string
			for _, c := range all[colleague](t, b, me, "/api/admin/operators/"+query, limit) {
				found = append(found, c.Email)
			}
			require.Equal(t, want, found, query)
		}
	}
	page := b.browse(t, "/operators/?state=active", me.Cookie, nil)
	require.Contains(t, page.Body, "make admin EMAIL=")
	require.Regexp(t, `^Operator,Role,State,Sessions,Enrolled,Disabled\n`+ben.Email+`,admin,active,1,20[^,]+Z,\n`+me.Email+`,support,active,2,20`,
		b.browse(t, "/operators.csv?state=active", me.Cookie, nil).Body)
	one := functiontest.Read[colleague](t, b.Call(t, "GET", "/api/admin"+ben.path(), me.Token, nil), 200)
	require.Equal(t, ben.Email, one.Email)
	require.NotContains(t, b.browse(t, ben.path(), me.Cookie, nil).Body, ben.path()+"disable/", "support does not act")
	require.Contains(t, b.browse(t, me.path(), ben.Cookie, nil).Body, me.path()+"disable/")
	require.NotContains(t, b.browse(t, ben.path(), ben.Cookie, nil).Body, "/disable/", "nor does anybody on their own account")
	require.Equal(t, 404, b.browse(t, "/operators/4711/", me.Cookie, nil).Status)
	functiontest.Refused(t, b.Call(t, "GET", "/api/admin/operators/x/", me.Token, nil), 404)
}

// acts on operators, with what each has to be told.
func operatorsActs() map[string]any {
	return map[string]any{"change-role": object{"role": "support"}, "disable": nil, "enable": nil, "end-sessions": nil}
}

func TestActsOnOperators(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me, ben := b.operator(t, adminRole), b.operator(t, adminRole)
	call := func(act string, body any) functiontest.Response {
		return b.Call(t, "POST", "/api/admin"+ben.path()+act+"/", me.Token, body)
	}
	works := func() bool { return b.Call(t, "GET", "/api/admin/me/", ben.Token, nil).Status == 200 }
	again := func() {
		b.Exec(t, `INSERT INTO admin_session (account_id, kind, token_hash, expires_at) VALUES ($1, 'api', sha256($2::bytea), now() + interval '1 hour')`, ben.ID, ben.Token)
		require.True(t, works())
	}
	require.True(t, works())

	functiontest.Refused(t, call("enable", nil), 409)
	done := b.act(t, ben.path()+"disable/", me)
	require.Equal(t, 303, done.Status, done.Body)
	require.False(t, works(), "signed out at once")
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM admin_session WHERE account_id = $1`, ben.ID))
	require.Regexp(t, fmt.Sprintf(`^%d disable operators/%d {"role": "admin", "disabled_at": null} {"role": "admin", "disabled_at": "20[^"]+"} 127.0.0.1$`, me.ID, ben.ID), b.lastAudit(t))
	functiontest.Refused(t, call("disable", nil), 409)
	functiontest.Refused(t, call("end-sessions", nil), 409)

	require.Equal(t, 200, call("enable", nil).Status)
	require.Regexp(t, `enable operators/\d+ {"role": "admin", "disabled_at": "20[^"]+"} {"role": "admin", "disabled_at": null}`, b.lastAudit(t))
	again()
	require.Equal(t, 200, call("end-sessions", nil).Status)
	require.False(t, works())
	require.Regexp(t, `end-sessions operators/\d+ {"sessions": 1} {"sessions": 0}`, b.lastAudit(t))

	again()
	functiontest.Refused(t, call("change-role", object{"role": "owner"}), 422)
	functiontest.Refused(t, call("change-role", object{"role": "admin"}), 409)
	require.Equal(t, 303, b.act(t, ben.path()+"change-role/", me, "role", "support").Status)
	require.False(t, works(), "signed out at once")
	require.Regexp(t, `change-role operators/\d+ {"role": "admin", "disabled_at": null} {"role": "support", "disabled_at": null}`, b.lastAudit(t))
	again()
	functiontest.Refused(t, b.Call(t, "POST", "/api/admin"+me.path()+"disable/", ben.Token, nil), 403)
	require.Equal(t, 4, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM admin_audit`), "what was refused is not in the log")

	for act, body := range operatorsActs() {
		own := b.Call(t, "POST", "/api/admin"+me.path()+act+"/", me.Token, body)
		functiontest.Refused(t, own, 409)
		require.Contains(t, string(own.Body), "This is your own account", act)
		functiontest.Refused(t, b.Call(t, "POST", "/api/admin/operators/4711/"+act+"/", me.Token, body), 404)
		functiontest.Refused(t, b.Call(t, "POST", "/api/admin/operators/x/"+act+"/", me.Token, body), 404)
	}
	b.once(t, me, ben.path()+"disable/", nil)
	b.once(t, me, ben.path()+"enable/", nil)
	b.once(t, me, ben.path()+"change-role/", object{"role": "admin"})
}

// TestAnAdminIsLeft has two admins take each other's role, or account, at the same moment.
func TestAnAdminIsLeft(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, act := range []string{"change-role", "disable"} {
		for range 5 {
			b.Exec(t, `UPDATE admin_account SET disabled_at = now()`)
			ann, ben := b.operator(t, adminRole), b.operator(t, adminRole)
			type attack struct{ by, on account }
			statuses := functiontest.AtOnce(t, []attack{{ann, ben}, {ben, ann}}, func(a attack) (functiontest.Response, error) {
				return b.Try("POST", "/api/admin"+a.on.path()+act+"/", a.by.Token, operatorsActs()[act])
			})
			require.Contains(t, statuses, 200)
			require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM admin_account WHERE role = 'admin' AND disabled_at IS NULL`), statuses)
		}
	}
}

// TestDisabledCannotSignIn goes the whole way: with the right password and code, while the account is disabled and after.
func TestDisabledCannotSignIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me := b.operator(t, adminRole)
	secret, _ := b.enrolled(t, "olga@example.com", supportRole)
	olga := account{ID: functiontest.Value[int64](t, b.Server, `SELECT id FROM admin_account WHERE email = 'olga@example.com'`)}
	signIn := func() int {
		return b.Call(t, "POST", "/api/admin/login/", "", object{"email": "olga@example.com", "password": passphrase, "code": codeOf(t, secret, 1)}).Status
	}
	require.Equal(t, 303, b.act(t, olga.path()+"disable/", me).Status)
	require.Equal(t, 401, signIn())
	require.Equal(t, 303, b.act(t, olga.path()+"enable/", me).Status)
	require.Equal(t, 200, signIn(), "the password and the authenticator are those that they had")
}
