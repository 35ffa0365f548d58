package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// A role is what an operator may do: support reads, admin acts as well.
type role string

const (
	adminRole   role = "admin"
	supportRole role = "support"
)

// What a session is for, as admin_session.kind names it.
const (
	panelSession = "panel"
	apiSession   = "api"
)

// sessionLife is how long an operator stays signed in, however busy they are.
const sessionLife = 12 * time.Hour

// cookieName has the prefix by which browsers keep a cookie to this host, over TLS.
const cookieName = "__Host-admin"

// tokenPrefix tells a token of an operator from one of the app's people.
const tokenPrefix = "hda_"

const tokenBytes = 32

func newToken() string { return tokenPrefix + base64.RawURLEncoding.EncodeToString(random(tokenBytes)) }

// An operator is who calls.
type operator struct {
	ID        int64
	SessionID int64
	Email     string
	Role      role
	ExpiresAt time.Time
	CSRF      string `db:"-"` // what forms of this session carry
}

// mayAct refuses those who only read.
func (o operator) mayAct() error {
	if o.Role != adminRole {
		return problem.Forbidden("Your account reads and does not act: ask an operator whose role is admin.")
	}
	return nil
}

const selectOperator = `
SELECT a.id, s.id AS session_id, a.email, a.role, s.expires_at
FROM admin_session s JOIN admin_account a ON a.id = s.account_id
WHERE s.token_hash = $1::bytea AND s.kind = $2 AND s.expires_at > now() AND a.disabled_at IS NULL AND a.enrolled_at IS NOT NULL`

// operator returns whose session of that kind the token opens, or the problem of somebody who is not signed in.
func (s *service) operator(ctx context.Context, kind, token string) (operator, error) {
	if !strings.HasPrefix(token, tokenPrefix) || len(token) > 100 {
		return operator{}, problem.Unauthenticated()
	}
	found, err := pg.One[operator](ctx, s.DB, selectOperator, authn.Hash(token), kind)
	if errors.Is(err, pgx.ErrNoRows) {
		return operator{}, problem.Unauthenticated()
	}
	if err != nil {
		return operator{}, fmt.Errorf("look up operator: %w", err)
	}
	found.CSRF = csrfOf(token)
	api.Log(ctx, slog.Int64("operator", found.ID))
	return found, nil
}

// csrfOf is what only pages of the session know: whoever has the cookie sent for them does not.
func csrfOf(token string) string {
	sum := sha256.Sum256([]byte("form\x00" + token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

type operatorKey struct{}

// operatorOf returns who calls, behind signedIn or group.
func operatorOf(ctx context.Context) operator {
	found, _ := ctx.Value(operatorKey{}).(operator)
	return found
}

// group returns an API whose operations take only operators with a token.
func (s *service) group(on huma.API) huma.API {
	group := huma.NewGroup(on)
	group.UseSimpleModifier(func(op *huma.Operation) {
		if op.Security != nil {
			return // huma modifies an operation twice: for the document and for the router
		}
		op.Security = []map[string][]string{{"token": {}}}
		op.Errors = append(op.Errors, http.StatusUnauthorized)
	})
	group.UseMiddleware(func(ctx huma.Context, next func(huma.Context)) {
		scheme, token, _ := strings.Cut(ctx.Header("Authorization"), " ")
		if !strings.EqualFold(scheme, "Token") && !strings.EqualFold(scheme, "Bearer") {
			token = ""
		}
		found, err := s.operator(ctx.Context(), apiSession, token)
		if err != nil {
			api.Refuse(ctx, err)
			return
		}
		next(huma.WithValue(ctx, operatorKey{}, found))
	})
	return group
}
