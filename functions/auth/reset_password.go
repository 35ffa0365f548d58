package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/limit"
	"github.com/honeydue/backend/shared/password"
	"github.com/honeydue/backend/shared/pg"
)

type resetPasswordInput struct {
	Body struct {
		Email       string `json:"email" minLength:"1" maxLength:"254" example:"ann@example.com"`
		Code        string `json:"code" pattern:"^[0-9]{6}$" patternDescription:"six digits" maxLength:"6" example:"042137"`
		NewPassword string `json:"new_password" minLength:"8" maxLength:"128" doc:"None of the 10,000 most common, and not the address" example:"nine slow otters"`
	}
}

func (s *service) resetPassword(ctx context.Context, in *resetPasswordInput) (*struct{}, error) {
	email := folded(in.Body.Email)
	if err := password.Check("body.new_password", in.Body.NewPassword, email); err != nil {
		return nil, err
	}
	try, err := s.allow(ctx, resetOfAddress.By(api.Address(ctx)))
	if err != nil {
		return nil, err
	}
	live, err := s.tryReset(ctx, email)
	if err != nil {
		return nil, err
	}
	right, err := s.redeemable(live, in.Body.Code)
	if err != nil {
		return nil, err
	}
	hash, err := s.hasher.Hash(ctx, in.Body.NewPassword)
	if err != nil {
		return nil, err
	}
	if err := s.useToReset(ctx, try, right, hash); err != nil {
		return nil, fmt.Errorf("reset password: %w", redeemed(err))
	}
	return &struct{}{}, nil
}

// tryReset counts a try at the code of an account, and takes as long when there is none.
func (s *service) tryReset(ctx context.Context, email string) (live []liveCode, err error) {
	batch := &pgx.Batch{}
	batch.Queue(tryCodesOfEmail, email, []string{code.ForResetPassword}, code.Tries).Query(func(rows pgx.Rows) (err error) {
		live, err = pgx.CollectRows(rows, pgx.RowToStructByName[liveCode])
		return err
	})
	batch.Queue(padCommit)
	if err := s.DB.SendBatch(ctx, batch); err != nil {
		return nil, fmt.Errorf("count a try at a code: %w", err)
	}
	return live, nil
}

const useToSetPassword = `
WITH used AS (
    UPDATE auth_code SET used_at = now() WHERE id = $1 AND used_at IS NULL AND expires_at > now() RETURNING user_id
)
UPDATE auth_user u SET password_hash = $2, updated_at = now() FROM used WHERE u.id = used.user_id`

// useToReset uses up a code, and gives the try back with its commit. pgx.ErrNoRows means that it was used or ended meanwhile.
func (s *service) useToReset(ctx context.Context, try limit.Try, right liveCode, hash string) error {
	s.Cache.Revoke(ctx, right.Sessions...)
	return pg.InTx(ctx, s.DB, func(tx *pg.Tx) error {
		try.GiveBackWith(tx)
		ended, err := setPassword(ctx, tx, statement{useToSetPassword, []any{right.ID, hash}}, right.UserID, 0)
		if err != nil {
			return err
		}
		tx.AfterCommit(func() { s.Cache.Revoke(ctx, append(right.Sessions, ended...)...) })
		return s.Outbox.Append(ctx, tx, events.UserPasswordChanged{UserID: right.UserID})
	})
}
