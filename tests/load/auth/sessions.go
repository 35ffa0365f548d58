package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"

	"github.com/honeydue/backend/tests/load"
	"github.com/honeydue/backend/tests/story"
)

type user struct {
	ID            int64
	Email, Locale string
}

func isUser(body []byte, email string) error {
	shown, err := load.Decode[user](body)
	return load.Wrong(err, shown.ID == 0 || shown.Email != email, "another account was answered")
}

func (p *people) sessions() load.Call {
	return load.Call{
		Name: "sessions", Method: http.MethodGet, URL: "/api/auth/sessions/", As: load.OneOf(p.People).Phone, Status: http.StatusOK,
		Check: func(_ http.Header, body []byte) error {
			list, err := load.Decode[struct{ Results []struct{ Current bool } }](body)
			current := 0
			for _, s := range list.Results {
				if s.Current {
					current++
				}
			}
			return load.Wrong(err, len(list.Results) == 0 || current > 1, "the sessions are not those of one person")
		},
	}
}

// signIn opens a session beside the one that the person has, from the same address: what is right is on no limit's count.
func (p *people) signIn() load.Call {
	v := load.OneOf(p.People)
	return load.Call{
		Name: "sign in", Method: http.MethodPost, URL: "/api/auth/login/", As: &story.Phone{Address: v.Address}, Status: http.StatusOK,
		Body:  map[string]string{"email": v.Email, "password": story.Password, "device_name": "Tablet"},
		Check: func(_ http.Header, body []byte) error { return p.opened(body, v.Address, v.Email) },
	}
}

// register makes an account. Each comes from an address of its own, of which twenty an hour would be too many.
func (p *people) register() load.Call {
	from, email := p.at.Phone(), strings.ToLower("nina."+rand.Text()+"@example.com")
	return load.Call{
		Name: "register", Method: http.MethodPost, URL: "/api/auth/register/", As: from, Status: http.StatusCreated,
		Body:  map[string]string{"email": email, "password": story.Password, "first_name": "Nina"},
		Check: func(_ http.Header, body []byte) error { return p.opened(body, from.Address, email) },
	}
}

// opened looks into the answer to whoever signed in, and leaves the session to be ended.
func (p *people) opened(body []byte, address, email string) error {
	in, err := load.Decode[struct {
		Token string
		User  user
	}](body)
	if err := load.Wrong(err, in.User.ID == 0 || in.User.Email != email || !strings.HasPrefix(in.Token, "hd_"), "somebody else is signed in"); err != nil {
		return err
	}
	p.open.Put(session{&story.Phone{Address: address, Token: in.Token}, email})
	return nil
}

// signOut ends a session that was opened, which nobody else uses. When there is none, somebody signs in.
func (p *people) signOut() load.Call {
	opened, ok := p.open.Take()
	if !ok {
		return p.signIn()
	}
	return load.Call{
		Name: "sign out", Method: http.MethodPost, URL: "/api/auth/logout/", As: opened.Phone, Status: http.StatusNoContent,
		Check: func(_ http.Header, body []byte) error {
			p.dead.Put(opened)
			return load.Wrong(nil, len(body) > 0, "there is a body")
		},
	}
}

// ended tries the token of a session that was ended: it opens nothing any more.
func (p *people) ended() load.Call {
	dead, ok := p.dead.Take()
	if !ok {
		return p.me()
	}
	return load.Call{
		Name: "dead token", Method: http.MethodGet, URL: "/api/auth/me/", As: dead.Phone, Status: http.StatusUnauthorized, Check: refused,
	}
}

// mistype signs in with a wrong password, and stranger to an account that there is not: the table tells whether both take as long.
// Failures count, five for an account from one address, so each comes from an address of its own.
func (p *people) mistype() load.Call { return p.fail("wrong password", load.OneOf(p.People).Email) }

func (p *people) stranger() load.Call { return p.fail("no such account", rand.Text()+"@example.com") }

func (p *people) fail(name, email string) load.Call {
	return load.Call{
		Name: name, Method: http.MethodPost, URL: "/api/auth/login/", As: p.at.Phone(), Status: http.StatusUnauthorized,
		Body:  map[string]string{"email": email, "password": "gutter-ladder-december"},
		Check: refused,
	}
}

// refused is the same for every reason.
func refused(header http.Header, body []byte) error {
	switch {
	case header.Get("Www-Authenticate") != "Token":
		return errors.New("the refusal does not say how to sign in")
	case header.Get("Content-Type") != "application/problem+json":
		return errors.New("the refusal is no problem document")
	case bytes.Contains(body, []byte(`"token"`)):
		return errors.New("the refusal has a token")
	}
	return nil
}
