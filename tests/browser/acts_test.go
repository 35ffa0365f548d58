package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/story"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	for _, scripts := range []bool{true, false} {
		t.Run(fmt.Sprintf("scripts %t", scripts), func(t *testing.T) {
			t.Parallel()
			ann, bob := world.person(t, "Ann"), world.person(t, "Bob")
			b, _ := signedIn(t, "support")
			if scripts {
				b.press("People")
				b.sees(bob.Email)
				ask[bool](b, "window.sameDocument = true")
			} else {
				b.withoutScripts()
				b.open(b.panel + "/people/")
				b.sees(bob.Email)
			}
			b.fill("q", ann.Email)
			if !scripts {
				b.press("Show")
			}
			// Scripts search while the name is typed: what counts is the last search.
			b.until("location.search.includes(" + quoted("q="+strings.ReplaceAll(ann.Email, "@", "%40")) + ")")
			b.until("document.querySelectorAll('tbody tr').length === 1")
			b.sees(ann.Email)
			require.Equal(t, scripts, ask[bool](b, "window.sameDocument === true"), "the page was loaded again")
			b.press(ann.Email)
			b.at(fmt.Sprintf("/people/%d/", ann.ID))
		})
	}
}

// TestDisable: the phone of whom an operator disables is signed out, and signs in again once the account is enabled.
func TestDisable(t *testing.T) {
	t.Parallel()
	for _, scripts := range []bool{true, false} {
		t.Run(fmt.Sprintf("scripts %t", scripts), func(t *testing.T) {
			t.Parallel()
			b, _ := signedIn(t, "admin")
			ann := b.person(t, "Ann")
			require.Equal(t, http.StatusOK, answered(t, ann))
			if !scripts {
				b.withoutScripts()
			}
			b.open(fmt.Sprintf("%s/people/%d/", b.panel, ann.ID))
			b.press("Disable the account")
			b.confirm("Disable the account")
			require.Equal(t, http.StatusUnauthorized, answered(t, ann))
			require.Error(t, ann.SignIn(within(t)))
			b.press("Enable the account")
			b.confirm("Enable the account")
			require.NoError(t, ann.SignIn(within(t)))
			require.Equal(t, http.StatusOK, answered(t, ann))
		})
	}
}

// TestReplay: an event that nobody confirmed is delivered when an operator says so, and its mail is sent once more when they ask for it.
func TestReplay(t *testing.T) {
	t.Parallel()
	b, _ := signedIn(t, "admin")
	ann := b.person(t, "Ann")
	event := b.deadEvent(t, ann)
	mails := func() (n int) {
		for _, m := range b.Mailbox().Messages() {
			if m.To[0] == ann.Email && strings.Contains(m.Subject, "password") {
				n++
			}
		}
		return n
	}
	b.open(b.panel + "/events/")
	b.open(b.panel + "/events/" + event + "-notifications/")
	b.press("Deliver it again")
	b.confirm("Deliver it again")
	require.Eventually(t, func() bool { return mails() == 1 }, patience, pause)

	sent := `SELECT (count(*) = 1)::text FROM notification_message WHERE event_id = $1::uuid AND state = 'sent'`
	require.Eventually(t, func() bool { return b.value(t, sent, event) == "true" }, patience, pause)
	message := b.value(t, `UPDATE notification_message SET state = 'dead', attempts = 12, sent_at = NULL, last_error = 'mail server answered 550'
		WHERE event_id = $1::uuid RETURNING id::text`, event)
	b.open(b.panel + "/deliveries/?state=dead")
	b.sees("mail server answered 550")
	b.open(b.panel + "/deliveries/" + message + "/")
	b.press("Send it again")
	b.confirm("Send it again")
	require.Eventually(t, func() bool { return mails() == 2 }, patience, pause)
}

// deadEvent makes an event that its consumer gave up, and returns its id.
func (s *stage) deadEvent(t *testing.T, about *story.Person) string {
	t.Helper()
	return s.value(t, `WITH happened AS (
		INSERT INTO outbox_event (id, type, source, subject, time, data)
		VALUES (gen_random_uuid(), 'com.myhoneydue.user.password_changed.v1', '/functions/auth', $1, now(), jsonb_build_object('user_id', $2::bigint)) RETURNING id)
		INSERT INTO outbox_delivery (event_id, consumer, state, attempts, next_at, reason)
		SELECT id, 'notifications', 'dead', 12, now(), 'attempts are used up' FROM happened RETURNING event_id::text`, fmt.Sprintf("users/%d", about.ID), about.ID)
}

// TestSupport: who only reads is offered no act, and is refused the page and the form of one.
func TestSupport(t *testing.T) {
	t.Parallel()
	b, _ := signedIn(t, "support")
	ann := b.person(t, "Ann")
	page := fmt.Sprintf("%s/people/%d/", b.panel, ann.ID)
	require.EqualValues(t, http.StatusOK, b.open(page))
	b.sees(ann.Email)
	require.False(t, ask[bool](b, "!!document.querySelector('.acts')"))
	b.expects(http.StatusForbidden)
	send := `fetch(%q, {method: 'POST', body: new URLSearchParams({csrf: document.querySelector('[name=csrf]').value})}).then(r => r.status)`
	for _, act := range []string{"disable", "delete", "end-sessions", "send-reset", "verify-email", "change-role"} {
		require.Equal(t, http.StatusForbidden, ask[int](b, fmt.Sprintf(send, page+act+"/")), act)
		require.EqualValues(t, http.StatusForbidden, b.open(page+act+"/"), act)
		b.sees("Your account reads and does not act")
	}
	require.Equal(t, http.StatusOK, answered(t, ann))
}

// TestForgedForm: a page of somebody else has the browser of an operator send the form of an act. One comes from another port of the
// panel's host, with the operator's cookie: what a page on a sister domain could do.
func TestForgedForm(t *testing.T) {
	t.Parallel()
	b, o := signedIn(t, "admin")
	ann := b.person(t, "Ann")
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, `<!doctype html><link rel="icon" href="data:,"><form method="post" action="%s/people/%d/disable/"><input type="hidden" name="csrf" value=""><button>Win a prize</button></form>`, b.panel, ann.ID)
	}))
	t.Cleanup(evil.Close)
	b.expects(http.StatusForbidden, http.StatusNotFound) // what refuses is no page, and names no icon
	for _, host := range []string{"admin.localhost", "evil.localhost"} {
		b.open(strings.Replace(evil.URL, "127.0.0.1", host, 1))
		b.press("Win a prize")
		b.sees("This request comes from another site.")
	}
	require.Equal(t, http.StatusOK, answered(t, ann))
	require.Equal(t, "0", b.value(t, `SELECT count(*)::text FROM admin_audit JOIN admin_account a ON a.id = account_id WHERE a.email = $1 AND act = 'disable'`, o.Email))
}

// TestMarkup: what people call themselves and their things is text, whatever it holds.
func TestMarkup(t *testing.T) {
	t.Parallel()
	b, _ := signedIn(t, "admin")
	names := []string{`<img src=x onerror=alert(1)>`, "\u202egnp.exe\u202d", `"><script>alert(1)</script>`, `{{.}}`, strings.Repeat("Wolfeschlegelstein", 20), "\u05d0\u05d1\u05d2 שלום"}
	for _, name := range names {
		ann := b.person(t, "Ann")
		b.exec(t, `UPDATE auth_user SET first_name = $2, last_name = $2 WHERE id = $1`, ann.ID, name)
		home := b.value(t, `WITH home AS (INSERT INTO residence_residence (name, city) VALUES ($2, $2) RETURNING id)
			INSERT INTO residence_member (residence_id, user_id, role) SELECT id, $1, 'owner' FROM home RETURNING residence_id::text`, ann.ID, name)
		task := b.value(t, `INSERT INTO task_task (residence_id, title, description) VALUES ($1::bigint, $2, $2) RETURNING id::text`, home, name)
		person := fmt.Sprintf("/people/%d/", ann.ID)
		for _, path := range []string{"/people/", person, "/homes/", "/homes/" + home + "/", "/tasks/", "/tasks/" + task + "/", person + "disable/"} {
			require.EqualValues(t, http.StatusOK, b.open(b.panel+path))
			if !strings.HasSuffix(path, "disable/") {
				require.Contains(t, ask[string](b, "document.querySelector('main').textContent"), name, path)
			}
			require.Zero(t, ask[int](b, "document.querySelectorAll('main img, main script').length"), path)
			require.Empty(t, b.overflow(390), path)
			require.Empty(t, b.overflow(1280), path)
		}
	}
}
