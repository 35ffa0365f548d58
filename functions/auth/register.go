package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/password"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

type registerInput struct {
	Body struct {
		Email      string  `json:"email" maxLength:"254" example:"ann@example.com"`
		Password   string  `json:"password" minLength:"8" maxLength:"128" doc:"None of the 10,000 most common, and not the address" example:"seven quiet herons"`
		FirstName  string  `json:"first_name,omitempty" maxLength:"100" pattern:"^[^\\x00-\\x1f\\x7f]*$" patternDescription:"no control characters" example:"Ann"`
		LastName   string  `json:"last_name,omitempty" maxLength:"100" pattern:"^[^\\x00-\\x1f\\x7f]*$" patternDescription:"no control characters" example:"Meyer"`
		TimeZone   *string `json:"time_zone,omitempty" maxLength:"64" doc:"IANA time zone" example:"Europe/Berlin"`
		DeviceName string  `json:"device_name,omitempty" maxLength:"100" pattern:"^[^\\x00-\\x1f\\x7f]*$" patternDescription:"no control characters" doc:"How the list of sessions names this device" example:"Ann's iPhone"`
	}
}

func (s *service) register(ctx context.Context, in *registerInput) (*signedInOutput, error) {
	email, err := parseEmail("body.email", in.Body.Email)
	if err != nil {
		return nil, err
	}
	if err := password.Check("body.password", in.Body.Password, email); err != nil {
		return nil, err
	}
	if err := checkZone(in.Body.TimeZone); err != nil {
		return nil, err
	}
	if _, err := s.allow(ctx, registrations.By(api.Address(ctx))); err != nil {
		return nil, err
	}
	hash, err := s.hasher.Hash(ctx, in.Body.Password)
	if err != nil {
		return nil, err
	}
	token := newToken()
	made, err := s.makeAccount(ctx, email, hash,
		strings.TrimSpace(in.Body.FirstName), strings.TrimSpace(in.Body.LastName), in.Body.TimeZone,
		authn.Hash(token), strings.TrimSpace(in.Body.DeviceName))
	if err != nil {
		return nil, err
	}
	s.Cache.Born(ctx, made.ID)
	api.Log(ctx, slog.Int64("user", made.ID))
	return &signedInOutput{signedIn{Token: token, User: made}}, nil
}

const insertAccount = `
WITH u AS (
    INSERT INTO auth_user (email, password_hash, first_name, last_name, time_zone) VALUES ($1, $2, $3, $4, $5)
    RETURNING *
), session AS (
    INSERT INTO auth_session (user_id, token_hash, device_name, expires_at)
    SELECT u.id, $6::bytea, $7, now() + make_interval(secs => $8::float8) FROM u
), code AS (
    INSERT INTO auth_code (user_id, purpose, nonce, expires_at)
    SELECT u.id, '` + code.ForVerifyEmail + `', $9::bytea, now() + make_interval(secs => $10::float8) FROM u
    RETURNING id
)
SELECT ` + userColumns + `, code.id AS code_id FROM u, code`

// makeAccount writes an account with its first session and code. An address that is taken is a problem 409.
func (s *service) makeAccount(ctx context.Context, email, hash, firstName, lastName string, zone *string, tokenHash []byte, device string) (user, error) {
	type row struct {
		user
		CodeID int64
	}
	var made row
	err := pg.InTx(ctx, s.DB, func(tx *pg.Tx) (err error) {
		made, err = pg.One[row](ctx, tx, insertAccount, email, hash, firstName, lastName, zone,
			tokenHash, device, authn.SessionLife.Seconds(), code.Nonce(), code.Life.Seconds())
		if err != nil {
			return err
		}
		if err := s.Outbox.Append(ctx, tx, events.UserRegistered{UserID: made.ID}); err != nil {
			return err
		}
		return s.Outbox.Append(ctx, tx, events.UserVerificationRequested{UserID: made.ID, CodeID: made.CodeID})
	})
	if pg.Violates(err, "auth_user_email") {
		return user{}, problem.Conflict("There is an account with this address already.", nil)
	}
	if err != nil {
		return user{}, fmt.Errorf("make account: %w", err)
	}
	made.CreatedAt = made.CreatedAt.UTC()
	return made.user, nil
}
