package browser

import (
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/story"
)

// An operator is somebody who may use the panel.
type operator struct {
	Email, Password string
	Secret          string   // of the authenticator
	Recovery        []string // codes that are left
}

// invite runs the command as `make admin` does, and returns the link.
func (s *stage) invite(t *testing.T, email, role string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(s.programs, "admin"), "enrol", "-role", role, email)
	cmd.Env = append(os.Environ(), "ADMIN_URL="+s.panel, "DATABASE_URL="+s.PgBouncer.URL("honeydue_admin", "honeydue"))
	out, err := cmd.Output()
	require.NoError(t, err)
	for field := range strings.FieldsSeq(string(out)) {
		if strings.HasPrefix(field, "http://") {
			return field
		}
	}
	require.Fail(t, "the command prints no link")
	return ""
}

// enrol sets up an account by the command's link: a password, an authenticator, recovery codes.
func (b *tab) enrol(role string) *operator {
	b.t.Helper()
	o := &operator{Email: role + "." + strings.ToLower(rand.Text()) + "@example.com", Password: rand.Text()}
	require.EqualValues(b.t, 200, b.open(b.invite(b.t, o.Email, role)))
	o.Secret = ask[string](b, "document.querySelector('.key').innerText")
	b.fill("password", o.Password)
	b.fill("code", o.code(b.t, 0))
	b.press("Finish")
	b.sees("Keep these codes")
	o.Recovery = ask[[]string](b, "[...document.querySelectorAll('.codes code')].map(c => c.innerText)")
	require.Len(b.t, o.Recovery, 10)
	return o
}

// code is what the operator's authenticator shows, so many steps of 30 seconds from now. Each works once, and from one step before to one
// behind: to enrol takes that of now and to sign in the next one, so that a step that ends meanwhile spoils neither.
func (o *operator) code(t *testing.T, steps int) string {
	t.Helper()
	code, err := totp.GenerateCode(o.Secret, time.Now().Add(time.Duration(steps)*30*time.Second))
	require.NoError(t, err)
	return code
}

// proves fills in the form that the tab shows, and sends it.
func (b *tab) proves(o *operator, code string) {
	b.t.Helper()
	b.fill("email", o.Email)
	b.fill("password", o.Password)
	b.fill("code", code)
	b.press("Sign in")
}

// signedIn opens a tab of somebody with that role, on the overview.
func signedIn(t *testing.T, role string) (*tab, *operator) {
	t.Helper()
	b := newTab(t)
	o := b.enrol(role)
	b.press("I have kept them: sign in")
	b.at("/sign-in/")
	b.proves(o, o.code(t, 1))
	b.at("/")
	return b, o
}

// confirm presses the button of an act on the page that asks, and waits until it is done.
func (b *tab) confirm(label string) {
	b.t.Helper()
	b.sees("The audit log keeps that you did this")
	b.press(label)
	b.sees("Done: " + label)
}

// person registers somebody of the app, on a phone of theirs.
func (s *stage) person(t *testing.T, name string) *story.Person {
	t.Helper()
	p, err := story.Register(within(t), story.NewPhone(s.URL), name)
	require.NoError(t, err)
	return p
}

// answered is the status with which the API answers a person's phone.
func answered(t *testing.T, p *story.Person) int {
	t.Helper()
	answer, err := p.Call(within(t), "GET", "/api/auth/me/", nil, "")
	require.NoError(t, err)
	return answer.Status
}

// exec runs SQL as the database's owner.
func (s *stage) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	_, err := s.db.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
}

// value reads one value, in the words of SQL.
func (s *stage) value(t *testing.T, sql string, args ...any) string {
	t.Helper()
	var text string
	require.NoError(t, s.db.QueryRow(t.Context(), sql, args...).Scan(&text))
	return text
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
