package main

import (
	"context"
	"fmt"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

type verifyEmailInput struct {
	Body struct {
		Code string `json:"code" pattern:"^[0-9]{6}$" patternDescription:"six digits" maxLength:"6" example:"042137"`
	}
}

type verifyEmailOutput struct {
	Body struct {
		User user `json:"user"`
	}
}

func (s *service) verifyEmail(ctx context.Context, in *verifyEmailInput) (*verifyEmailOutput, error) {
	live, err := pg.All[liveCode](ctx, s.DB, tryCodesOfPerson, authn.User(ctx).ID, []string{code.ForVerifyEmail, code.ForChangeEmail}, code.Tries)
	if err != nil {
		return nil, fmt.Errorf("count a try at a code: %w", err)
	}
	right, err := s.redeemable(live, in.Body.Code)
	if err != nil {
		return nil, err
	}
	var out verifyEmailOutput
	if right.Purpose == code.ForChangeEmail {
		out.Body.User, err = s.takeNewEmail(ctx, right.ID)
	} else {
		out.Body.User, err = oneUser(ctx, s.DB, useToVerify, right.ID)
	}
	if err != nil {
		return nil, fmt.Errorf("verify email: %w", redeemed(err))
	}
	return &out, nil
}

const useToVerify = `
WITH used AS (
    UPDATE auth_code SET used_at = now() WHERE id = $1 AND used_at IS NULL AND expires_at > now() RETURNING user_id
)
UPDATE auth_user u SET email_verified_at = coalesce(u.email_verified_at, now()), updated_at = now()
FROM used WHERE u.id = used.user_id
RETURNING ` + userColumns

// Codes that went to the old address end with it.
const useToChangeEmail = `
WITH used AS (
    UPDATE auth_code SET used_at = now() WHERE id = $1 AND used_at IS NULL AND expires_at > now() RETURNING id, user_id, new_email
), ended AS (
    UPDATE auth_code c SET expires_at = now() FROM used
    WHERE c.user_id = used.user_id AND c.id <> used.id AND c.used_at IS NULL AND c.expires_at > now()
), kept AS (
    INSERT INTO auth_email_change (user_id, old_email)
    SELECT u.id, u.email FROM auth_user u JOIN used ON u.id = used.user_id
    RETURNING id
)
UPDATE auth_user u SET email = used.new_email, email_verified_at = now(), updated_at = now()
FROM used, kept WHERE u.id = used.user_id
RETURNING ` + userColumns + `, kept.id AS change_id`

// takeNewEmail uses up a code for a change of address. An address that another account took meanwhile is a problem 409;
// pgx.ErrNoRows means that the code was used or ended meanwhile.
func (s *service) takeNewEmail(ctx context.Context, codeID int64) (user, error) {
	type row struct {
		user
		ChangeID int64
	}
	var changed row
	err := pg.InTx(ctx, s.DB, func(tx *pg.Tx) (err error) {
		if changed, err = pg.One[row](ctx, tx, useToChangeEmail, codeID); err != nil {
			return err
		}
		return s.Outbox.Append(ctx, tx, events.UserEmailChanged{UserID: changed.ID, ChangeID: changed.ChangeID})
	})
	if pg.Violates(err, "auth_user_email") {
		return user{}, problem.Conflict("There is an account with this address already.", nil)
	}
	changed.CreatedAt = changed.CreatedAt.UTC()
	return changed.user, err
}
