package main

import (
	"errors"
	"net/http"
	"strings"

	"github.com/honeydue/backend/shared/problem"
)

// A signInPage is the form, and what was wrong with what was sent. It never shows what was typed but the address.
type signInPage struct {
	Next, Email, Wrong string
}

func (s *service) showSignIn(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, http.StatusOK, frame{Title: "Sign in", Template: "sign_in.html", Data: signInPage{Next: inside(r.URL.Query().Get("next"))}})
}

func (s *service) takeSignIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.fail(w, r, problem.New(http.StatusBadRequest, "The form cannot be read."))
		return
	}
	form := signInPage{Next: inside(r.PostForm.Get("next")), Email: r.PostForm.Get("email")}
	p, err := proofOf(form.Email, r.PostForm.Get("password"), r.PostForm.Get("code"))
	var token string
	if err == nil {
		token, _, err = s.signIn(r.Context(), panelSession, p)
	}
	var refused *problem.Problem
	if errors.As(err, &refused) && refused.Status < http.StatusInternalServerError {
		for name, all := range refused.GetHeaders() {
			w.Header()[name] = all
		}
		form.Wrong = refused.Detail
		s.show(w, r, refused.Status, frame{Title: "Sign in", Template: "sign_in.html", Data: form})
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	setCookie(w, token, int(sessionLife.Seconds()))
	http.Redirect(w, r, form.Next, http.StatusSeeOther)
}

func (s *service) takeSignOut(w http.ResponseWriter, r *http.Request) {
	if err := s.signOut(r.Context()); err != nil {
		s.fail(w, r, err)
		return
	}
	setCookie(w, "", -1)
	http.Redirect(w, r, "/sign-in/", http.StatusSeeOther)
}

func setCookie(w http.ResponseWriter, token string, seconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: token, Path: "/", MaxAge: seconds, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}

// inside returns a path of this panel, the overview for anything else.
func inside(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}

// proofOf refuses what cannot be right without asking anybody.
func proofOf(email, password, code string) (proof, error) {
	const longest = 254
	for _, text := range []string{email, password, code} {
		if text == "" || len(text) > longest || strings.ContainsRune(text, 0) {
			return proof{}, problem.New(http.StatusUnprocessableEntity, "Fill in the address, the password and a code.")
		}
	}
	return proof{email, password, code}, nil
}
