package browser

import (
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/require"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	o := b.enrol("admin")
	b.press("I have kept them: sign in")
	b.at("/sign-in/")
	b.expects(401)
	b.proves(o, "000000")
	b.sees("is not right")
	b.proves(o, o.code(t, 1))
	b.at("/")
	b.sees("Overview")
	cookies := tell(b, network.GetCookies, network.GetCookiesParams{}).Cookies
	require.Len(t, cookies, 1)
	require.True(t, cookies[0].HTTPOnly && cookies[0].Secure, "no script reads the session")
	b.press("Sign out")
	b.at("/sign-in/")
	require.EqualValues(t, 200, b.open(b.panel+"/people/"))
	b.at("/sign-in/?next=%2Fpeople%2F")
}

// TestExpiredSession: who was away too long signs in again and is where they wanted to go.
func TestExpiredSession(t *testing.T) {
	t.Parallel()
	b, o := signedIn(t, "support")
	b.expects(401)
	expire := func() {
		b.exec(t, `UPDATE admin_session SET expires_at = now() FROM admin_account a WHERE a.id = account_id AND a.email = $1`, o.Email)
	}
	expire()
	b.press("Homes") // asked for by htmx
	b.at("/sign-in/?next=%2Fhomes%2F")
	b.proves(o, o.Recovery[0])
	b.at("/homes/")
	expire()
	b.open(b.panel + "/people/?q=olive&state=active")
	b.sees("Sign in")
	b.proves(o, o.Recovery[1])
	b.at("/people/?q=olive&state=active")
}
