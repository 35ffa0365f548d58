package main

import (
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
)

// lastAudit is the newest line of the log.
func (b *bundle) lastAudit(t *testing.T) string {
	t.Helper()
	return functiontest.Value[string](t, b.Server, `SELECT concat_ws(' ', account_id, act, subject, coalesce(before::text, '-'), coalesce(after::text, '-'), address)
		FROM admin_audit ORDER BY id DESC LIMIT 1`)
}

func TestDisableAndEnable(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me, ann := b.operator(t, adminRole), b.Person(t, "ann")
	auth := &authn.Authenticator{DB: b.Base.DB, Cache: b.Base.Cache}
	require.NotNil(t, auth)
	path := fmt.Sprintf("/people/%d/", ann.ID)
	b.Exec(t, `INSERT INTO auth_device (user_id, session_id, platform, token) SELECT user_id, id, 'ios', 'phone' FROM auth_session`)
	hash := authn.Hash(ann.Token)
	_, store := b.Base.Cache.Token(t.Context(), hash)
	store(t.Context(), []byte(`{"UserID":1}`))

	asked := b.browse(t, path+"disable/", me.Cookie, nil)
	require.Equal(t, 200, asked.Status)
	require.Contains(t, asked.Body, "Disable the account?")
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_session`), "asking does nothing")

	done := b.act(t, path+"disable/", me)
	require.Equal(t, 303, done.Status, done.Body)
	require.Equal(t, path+"?done=disable", done.Header.Get("Location"))
	require.Contains(t, b.browse(t, path+"?done=disable", me.Cookie, nil).Body, "Done: Disable the account.")
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT (SELECT count(*) FROM auth_session) + (SELECT count(*) FROM auth_device)`))
	kept, store := b.Base.Cache.Token(t.Context(), hash)
	require.Nil(t, kept, "the token's look-up is forgotten")
	store(t.Context(), []byte(`{"UserID":1}`))
	kept, _ = b.Base.Cache.Token(t.Context(), hash)
	require.Nil(t, kept, "and a slow reader cannot bring it back")
	require.Regexp(t, fmt.Sprintf(`^%d disable people/%d {"disabled_at": null, "email_verified_at": "[^"]+"} {"disabled_at": "[^"]+", "email_verified_at": "[^"]+"} 127.0.0.1$`, me.ID, ann.ID), b.lastAudit(t))

	require.Equal(t, 409, b.act(t, path+"disable/", me).Status)
	functiontest.Refused(t, b.Call(t, "POST", "/api/admin"+path+"disable/", me.Token, nil), 409)
	enabled := functiontest.Read[record](t, b.Call(t, "POST", "/api/admin"+path+"enable/", me.Token, nil), 200)
	require.Equal(t, "enable", enabled.Act)
	require.Equal(t, fmt.Sprintf("people/%d", ann.ID), enabled.Subject)
	functiontest.Refused(t, b.Call(t, "POST", "/api/admin"+path+"enable/", me.Token, nil), 409)
	require.Equal(t, 2, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM admin_audit`), "what was refused is not in the log")
	for _, nobody := range []string{"4711", "0", "x", "01", "9223372036854775808"} {
		functiontest.Refused(t, b.Call(t, "POST", "/api/admin/people/"+nobody+"/disable/", me.Token, nil), 404)
	}
}

func TestEndSessions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me, ann, ben := b.operator(t, adminRole), b.Person(t, "ann"), b.Person(t, "ben")
	path := fmt.Sprintf("/api/admin/people/%d/end-sessions/", ann.ID)
	done := functiontest.Read[record](t, b.Call(t, "POST", path, me.Token, nil), 200)
	require.Equal(t, object{"sessions": 1.0}, done.Before)
	require.Equal(t, object{"sessions": 0.0}, done.After)
	require.Equal(t, ben.ID, functiontest.Value[int64](t, b.Server, `SELECT user_id FROM auth_session`))
	functiontest.Refused(t, b.Call(t, "POST", path, me.Token, nil), 409)
}

func TestSendReset(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me, ann := b.operator(t, adminRole), b.Person(t, "ann")
	path := fmt.Sprintf("/people/%d/send-reset/", ann.ID)
	done := b.act(t, path, me)
	require.Equal(t, 303, done.Status, done.Body)
	code := functiontest.Value[int64](t, b.Server, `SELECT id FROM auth_code WHERE purpose = 'reset_password' AND user_id = $1 AND expires_at > now() + interval '9 minutes'`, ann.ID)
	event := functiontest.Value[string](t, b.Server, `SELECT type || ' ' || source || ' ' || data::text FROM outbox_event`)
	require.Equal(t, fmt.Sprintf(`com.myhoneydue.user.password_reset_requested.v1 /functions/admin {"code_id": %d, "user_id": %d}`, code, ann.ID), event)
	require.Contains(t, b.lastAudit(t), fmt.Sprintf(`send-reset people/%d - {"code_id": %d}`, ann.ID, code))
	for range 4 {
		require.Equal(t, 303, b.act(t, path, me).Status)
	}
	require.Equal(t, 429, b.act(t, path, me).Status)
	require.Equal(t, 5, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_code`))
	ben := b.Person(t, "ben")
	b.Exec(t, `UPDATE auth_user SET disabled_at = now()`)
	require.Equal(t, 409, b.act(t, fmt.Sprintf("/people/%d/send-reset/", ben.ID), me).Status)
	require.Equal(t, 5, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_code`))
}

func TestVerifyEmail(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me, ann := b.operator(t, adminRole), b.Person(t, "ann")
	path := fmt.Sprintf("/people/%d/verify-email/", ann.ID)
	require.Equal(t, 409, b.act(t, path, me).Status)
	b.Exec(t, `UPDATE auth_user SET email_verified_at = NULL`)
	require.Contains(t, b.browse(t, fmt.Sprintf("/people/%d/", ann.ID), me.Cookie, nil).Body, "Take the address as proved")
	require.Equal(t, 303, b.act(t, path, me).Status)
	require.True(t, functiontest.Value[bool](t, b.Server, `SELECT email_verified_at IS NOT NULL FROM auth_user`))
	require.Contains(t, b.lastAudit(t), `"email_verified_at": null`)
	require.NotContains(t, b.lastAudit(t), ann.Email)
}

func TestChangeRole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me, ann, ben, cat := b.operator(t, adminRole), b.Person(t, "ann"), b.Person(t, "ben"), b.Person(t, "cat")
	house := b.Home(t, ann)
	b.Join(t, house, ben, home.Member)
	at := fmt.Sprint(house)
	path := func(id int64) string { return fmt.Sprintf("/api/admin/people/%d/change-role/", id) }
	done := functiontest.Read[record](t, b.Call(t, "POST", path(ben.ID), me.Token, object{"role": "viewer", "home": at}), 200)
	require.Equal(t, object{"home": float64(house), "role": "member"}, done.Before)
	require.Equal(t, object{"home": float64(house), "role": "viewer"}, done.After)
	require.Equal(t, "viewer", functiontest.Value[string](t, b.Server, `SELECT role FROM residence_member WHERE user_id = $1`, ben.ID))
	functiontest.Refused(t, b.Call(t, "POST", path(ben.ID), me.Token, object{"role": "viewer", "home": at}), 409)
	functiontest.Refused(t, b.Call(t, "POST", path(ann.ID), me.Token, object{"role": "viewer", "home": at}), 409)
	functiontest.Refused(t, b.Call(t, "POST", path(cat.ID), me.Token, object{"role": "viewer", "home": at}), 404)
	functiontest.Refused(t, b.Call(t, "POST", path(ben.ID), me.Token, object{"role": "viewer", "home": "4711"}), 404)
	for _, wrong := range []object{{"role": "owner", "home": at}, {"role": "member", "home": "x"}, {"role": "member"}, {"home": at}, {"role": "member", "home": at, "more": 1}} {
		functiontest.Refused(t, b.Call(t, "POST", path(ben.ID), me.Token, wrong), 422)
	}
	require.Equal(t, 422, b.act(t, fmt.Sprintf("/people/%d/change-role/", ben.ID), me, "role", "owner", "home", at).Status)
	require.Equal(t, 303, b.act(t, fmt.Sprintf("/people/%d/change-role/", ben.ID), me, "role", "member", "home", at).Status)
	require.Equal(t, 2, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM admin_audit`))
}

func TestDeleteAsksAuth(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me, ann := b.operator(t, adminRole), b.Person(t, "ann")
	path := fmt.Sprintf("/people/%d/delete/", ann.ID)
	require.Contains(t, b.browse(t, path, me.Cookie, nil).Body, `class="danger"`)
	asked := b.act(t, path, me)
	require.Equal(t, 303, asked.Status)
	require.Equal(t, "/people/?done=delete", asked.Header.Get("Location"), "the person may be gone already")
	require.Contains(t, b.browse(t, "/people/?done=delete", me.Cookie, nil).Body, "Done: Delete the account.")
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_session`))
	require.True(t, functiontest.Value[bool](t, b.Server, `SELECT disabled_at IS NOT NULL FROM auth_user`))
	event := functiontest.Value[string](t, b.Server, `SELECT type || ' ' || data::text || ' ' || consumer FROM outbox_event e JOIN outbox_delivery d ON d.event_id = e.id`)
	require.Equal(t, fmt.Sprintf(`com.myhoneydue.user.deletion_requested.v1 {"user_id": %d} auth`, ann.ID), event)
	require.Contains(t, b.lastAudit(t), fmt.Sprintf("delete people/%d", ann.ID))
}

// Of two who do the same at the same moment one did it, and the log says who.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, two := b.operator(t, adminRole), b.operator(t, adminRole)
	for range 20 {
		ann := b.Person(t, "ann")
		var done, refused atomic.Int64
		var group sync.WaitGroup
		for _, o := range []account{one, two} {
			group.Go(func() {
				r, err := b.Try("POST", fmt.Sprintf("/api/admin/people/%d/disable/", ann.ID), o.Token, nil)
				switch {
				case err == nil && r.Status == 200:
					done.Add(1)
				case err == nil && r.Status == 409:
					refused.Add(1)
				}
			})
		}
		group.Wait()
		require.EqualValues(t, 1, done.Load())
		require.EqualValues(t, 1, refused.Load())
		require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM admin_audit WHERE subject = 'people/' || $1::text`, fmt.Sprint(ann.ID)))
	}
}

// What cannot be recorded does not happen.
func TestNoActWithoutItsLine(t *testing.T) {
	t.Parallel()
	b := setup(t)
	me, ann := b.operator(t, adminRole), b.Person(t, "ann")
	b.Exec(t, `REVOKE INSERT ON admin_audit FROM honeydue_admin`)
	require.Equal(t, 500, b.act(t, fmt.Sprintf("/people/%d/disable/", ann.ID), me).Status)
	require.Equal(t, 500, b.browse(t, "/sign-out/", me.Cookie, url.Values{"csrf": {csrfOf(me.Cookie)}}).Status)
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_session`))
	require.Equal(t, 200, b.browse(t, "/people/", me.Cookie, nil).Status)
}
