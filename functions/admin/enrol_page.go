package main

import (
	"errors"
	"html/template"
	"net/http"

	"github.com/honeydue/backend/shared/problem"
)

// An enrolmentPage is the form with the secret to scan, and what was wrong with what was sent.
type enrolmentPage struct {
	Email, Token, Secret, Wrong string
	QR                          template.HTML
}

func (s *service) showEnrolment(w http.ResponseWriter, r *http.Request) {
	s.showEnrolmentForm(w, r, http.StatusOK, r.URL.Query().Get("token"), "")
}

func (s *service) showEnrolmentForm(w http.ResponseWriter, r *http.Request, status int, token, wrong string) {
	who, err := s.newcomer(r.Context(), token)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	secret := s.totpSecretOf(token)
	qr, err := drawQR(totpURI(who.Email, secret))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.show(w, r, status, frame{
		Title: "Set up your account", Template: "enrol.html",
		Data: enrolmentPage{who.Email, token, base32Of(secret), wrong, qr},
	})
}

func (s *service) takeEnrolment(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.fail(w, r, problem.New(http.StatusBadRequest, "The form cannot be read."))
		return
	}
	token := r.PostForm.Get("token")
	codes, err := s.enrol(r.Context(), token, r.PostForm.Get("password"), r.PostForm.Get("code"))
	var refused *problem.Problem
	if errors.As(err, &refused) && len(refused.Errors) > 0 {
		s.showEnrolmentForm(w, r, refused.Status, token, "The "+refused.Errors[0].Location+" is not right: "+refused.Errors[0].Message+".")
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, frame{Title: "Keep these codes", Template: "enrolled.html", Data: codes})
}
