package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

type loginInput struct {
	Body struct {
		Email      string `json:"email" minLength:"1" maxLength:"254" example:"ann@example.com"`
		Password   string `json:"password" minLength:"1" maxLength:"128" example:"seven quiet herons"`
		DeviceName string `json:"device_name,omitempty" maxLength:"100" pattern:"^[^\\x00-\\x1f\\x7f]*$" patternDescription:"no control characters" doc:"How the list of sessions names this device" example:"Ann's iPhone"`
	}
}

func (s *service) login(ctx context.Context, in *loginInput) (*signedInOutput, error) {
	var answer signedIn
	err := s.guess(ctx, in.Body.Email, func() (err error) {
		answer, err = s.signIn(ctx, folded(in.Body.Email), in.Body.Password, strings.TrimSpace(in.Body.DeviceName))
		return err
	})
	if errors.Is(err, errWrongPassword) {
		refused := problem.Unauthenticated()
		refused.Detail = "The email address or the password is not right."
		return nil, refused
	}
	if err != nil {
		return nil, err
	}
	api.Log(ctx, slog.Int64("user", answer.User.ID))
	return &signedInOutput{answer}, nil
}

// credentials are what a password is checked against.
type credentials struct {
	ID           int64
	PasswordHash string
}

// A person who has no password, or does not exist, is checked against a hash that nothing gives.
const selectCredentials = `SELECT id, coalesce(password_hash, $2) AS password_hash FROM auth_user WHERE lower(email) = $1`

// signIn opens a session for whoever knows the password, else returns errWrongPassword. It looks a second time when
// the stored hash was replaced between the look and the session.
func (s *service) signIn(ctx context.Context, email, password, device string) (signedIn, error) {
	for range 2 {
		found, err := pg.One[credentials](ctx, s.DB, selectCredentials, email, noHash)
		if errors.Is(err, pgx.ErrNoRows) {
			found, err = credentials{PasswordHash: noHash}, nil
		}
		if err != nil {
			return signedIn{}, fmt.Errorf("look up credentials: %w", err)
		}
		right, err := s.hasher.matches(ctx, found.PasswordHash, password)
		if err != nil {
			return signedIn{}, fmt.Errorf("check password of user %d: %w", found.ID, err)
		}
		if !right {
			return signedIn{}, errWrongPassword
		}
		replacement := found.PasswordHash
		if outdated(found.PasswordHash) {
			if replacement, err = s.hasher.hash(ctx, password); err != nil {
				return signedIn{}, err
			}
		}
		token := newToken()
		opened, err := oneUser(ctx, s.DB, insertSession, found.ID, found.PasswordHash, replacement,
			authn.Hash(token), device, authn.SessionLife.Seconds())
		if err == nil {
			return signedIn{Token: token, User: opened}, nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return signedIn{}, fmt.Errorf("open session of user %d: %w", found.ID, err)
		}
	}
	return signedIn{}, errWrongPassword
}

// The session is opened only while the hash that was checked stands, and its row is locked: a change of the password
// either comes first and refuses this, or comes after and ends the session.
const insertSession = `
WITH person AS (
    SELECT id FROM auth_user WHERE id = $1 AND password_hash = $2::text FOR NO KEY UPDATE
), replaced AS (
    UPDATE auth_user u SET password_hash = $3::text FROM person WHERE u.id = person.id AND $3::text <> $2::text
), opened AS (
    INSERT INTO auth_session (user_id, token_hash, device_name, expires_at)
    SELECT id, $4::bytea, $5, now() + make_interval(secs => $6::float8) FROM person
    RETURNING user_id
)
SELECT ` + userColumns + ` FROM auth_user u JOIN opened ON opened.user_id = u.id`
