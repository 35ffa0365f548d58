package main

import (
	"context"
	_ "embed"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/honeydue/backend/shared/api"
)

// document is the OpenAPI document of the operators' API, which TestOpenAPI writes. It stands apart from the one of the app's API.
//
//go:embed openapi.json
var document []byte

// routes registers the API and the panel. Lists, pages and acts come from the resources.
func (s *service) routes(on huma.API) {
	operation := func(method, path, id, summary, description string, status int, refusals ...int) huma.Operation {
		return huma.Operation{
			Method: method, Path: "/api/admin/" + path, OperationID: id, Summary: summary, Description: description,
			Tags: []string{"Admin"}, DefaultStatus: status, Errors: refusals,
		}
	}
	signed := s.group(on)
	api.Handle(on, operation(http.MethodPost, "login/", "admin-login", "Sign in as an operator", "Takes a code of TOTP, or a recovery code; each works once. The token lives for 12 hours. Five failures for an account from one address within 15 minutes, or 30 within an hour over all accounts, and that address waits.", http.StatusOK, http.StatusUnauthorized), s.login)
	api.Handle(signed, operation(http.MethodPost, "logout/", "admin-logout", "End this session", "", http.StatusNoContent), s.logout)
	api.Handle(signed, operation(http.MethodGet, "me/", "admin-me", "Who is signed in", "", http.StatusOK), s.getMe)
	api.Handle(signed, operation(http.MethodGet, "overview/", "admin-overview", "How honeyDue is", "Totals, what waits for somebody, the last 30 days and the last 24 hours.", http.StatusOK), s.getOverview)
	api.Handle(signed, huma.Operation{Method: http.MethodGet, Path: "/api/admin/openapi.json", OperationID: "admin-openapi", Hidden: true}, getDocument)
	for _, r := range s.resources {
		r.listing.register(s, on)
		if r.item != nil {
			r.item.register(s, on)
		}
		for _, a := range r.acts {
			a.register(s, on, r.listing.name())
		}
	}
	s.panel(on)
}

type loginInput struct {
	Body struct {
		Email    string `json:"email" minLength:"1" maxLength:"254" example:"ann@example.com"`
		Password string `json:"password" minLength:"1" maxLength:"128" example:"seven quiet herons"`
		Code     string `json:"code" minLength:"1" maxLength:"40" doc:"Six digits of the authenticator, or a recovery code" example:"123456"`
	}
}

type meBody struct {
	ID        int64     `json:"id" example:"1"`
	Email     string    `json:"email" example:"ann@example.com"`
	Role      role      `json:"role" enum:"admin,support" doc:"support reads and does not act" example:"admin"`
	ExpiresAt time.Time `json:"expires_at" doc:"When this session ends" example:"2026-06-01T20:00:00Z"`
}

type signedInBody struct {
	Token string `json:"token" doc:"For the header Authorization: Token hda_…" example:"hda_Zm9yIGV4YW1wbGU"`
	meBody
}

type (
	signedInOutput struct{ Body signedInBody }
	meOutput       struct{ Body meBody }
)

func (s *service) login(ctx context.Context, in *loginInput) (*signedInOutput, error) {
	token, me, err := s.signIn(ctx, apiSession, proof{in.Body.Email, in.Body.Password, in.Body.Code})
	if err != nil {
		return nil, err
	}
	return &signedInOutput{signedInBody{token, bodyOf(me)}}, nil
}

func (s *service) logout(ctx context.Context, _ *struct{}) (*struct{}, error) {
	return &struct{}{}, s.signOut(ctx)
}

func (s *service) getMe(ctx context.Context, _ *struct{}) (*meOutput, error) {
	return &meOutput{bodyOf(operatorOf(ctx))}, nil
}

type documentOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func getDocument(context.Context, *struct{}) (*documentOutput, error) {
	return &documentOutput{"application/json", document}, nil
}

func bodyOf(o operator) meBody { return meBody{o.ID, o.Email, o.Role, o.ExpiresAt.UTC()} }
