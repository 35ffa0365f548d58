package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/limit"
	"github.com/honeydue/backend/shared/password"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

type changePasswordInput struct {
	Body struct {
		CurrentPassword string `json:"current_password" minLength:"1" maxLength:"128" example:"seven quiet herons"`
		NewPassword     string `json:"new_password" minLength:"8" maxLength:"128" doc:"None of the 10,000 most common, and not the address" example:"nine slow otters"`
	}
}

func (s *service) changePassword(ctx context.Context, in *changePasswordInput) (*struct{}, error) {
	me := authn.User(ctx)
	own, try, err := s.provePassword(ctx, me, "body.current_password", in.Body.CurrentPassword)
	if err != nil {
		return nil, err
	}
	if err := s.replacePassword(ctx, me, own, try, in.Body.NewPassword); err != nil {
		return nil, errors.Join(err, limit.GiveBack(ctx, s.DB, try))
	}
	return &struct{}{}, nil
}

// replacePassword gives try back with its commit.
func (s *service) replacePassword(ctx context.Context, me authn.Person, own ownAccount, try limit.Try, wanted string) error {
	if err := password.Check("body.new_password", wanted, own.Email); err != nil {
		return err
	}
	hash, err := s.hasher.Hash(ctx, wanted)
	if err != nil {
		return err
	}
	s.Cache.Revoke(ctx, own.OtherTokens...)
	err = pg.InTx(ctx, s.DB, func(tx *pg.Tx) error {
		try.GiveBackWith(tx)
		ended, err := setPassword(ctx, tx, statement{updatePassword, []any{me.ID, own.PasswordHash, hash}}, me.ID, me.SessionID)
		if errors.Is(err, pgx.ErrNoRows) {
			return problem.Conflict("The password was changed at this very moment.", nil)
		}
		if err != nil {
			return err
		}
		tx.Queue(endCodes, me.ID, code.ForResetPassword)
		tx.AfterCommit(func() { s.Cache.Revoke(ctx, append(own.OtherTokens, ended...)...) })
		return s.Outbox.Append(ctx, tx, events.UserPasswordChanged{UserID: me.ID})
	})
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	return nil
}

const updatePassword = `
UPDATE auth_user SET password_hash = $3, updated_at = now() WHERE id = $1 AND password_hash = $2::text`

// ownAccount is what changing a password or an address needs to know of the caller.
type ownAccount struct {
	Email        string
	PasswordHash string
	OtherTokens  [][]byte
}

const selectOwnAccount = `
SELECT u.email, coalesce(u.password_hash, $3) AS password_hash,
    ARRAY(SELECT s.token_hash FROM auth_session s WHERE s.user_id = u.id AND s.id <> $2::bigint) AS other_tokens
FROM auth_user u WHERE u.id = $1`

// provePassword returns the caller's account if the password given is theirs, within the limits of login and of also: a stolen
// token does not make guessing cheaper. location names the field that holds it. The try, of login's limits alone, is the
// caller's to give back.
func (s *service) provePassword(ctx context.Context, me authn.Person, location, given string, also ...limit.Count) (ownAccount, limit.Try, error) {
	own, err := pg.One[ownAccount](ctx, s.DB, selectOwnAccount, me.ID, me.SessionID, password.NoHash)
	if err != nil {
		return ownAccount{}, limit.Try{}, fmt.Errorf("look up own account: %w", signedOut(err))
	}
	ofLogin := loginCounts(ctx, own.Email)
	try, err := s.allow(ctx, append(ofLogin, also...)...)
	if err != nil {
		return ownAccount{}, limit.Try{}, err
	}
	right, err := s.hasher.Matches(ctx, own.PasswordHash, given)
	if err != nil {
		return ownAccount{}, limit.Try{}, errors.Join(fmt.Errorf("check password: %w", err), limit.GiveBack(ctx, s.DB, try))
	}
	if !right {
		return ownAccount{}, limit.Try{}, problem.Invalid(location, "expected the current password")
	}
	return own, try.Under(len(ofLogin)), nil
}
