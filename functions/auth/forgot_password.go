package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/limit"
	"github.com/honeydue/backend/shared/pg"
)

type forgotPasswordInput struct {
	Body struct {
		Email string `json:"email" minLength:"1" maxLength:"254" example:"ann@example.com"`
	}
}

const selectPerson = `SELECT id FROM auth_user WHERE lower(email) = $1`

// forgotPassword asks the database the same questions, in as many round trips, whether or not there is such an account,
// and whether or not it had its share of codes.
func (s *service) forgotPassword(ctx context.Context, in *forgotPasswordInput) (*struct{}, error) {
	email := folded(in.Body.Email)
	tries, err := limit.Each(ctx, s.DB, forgotOfAddress.By(api.Address(ctx)), forgotOfEmail.By(email))
	if err != nil {
		return nil, err
	}
	if ofAddress := tries[0]; !ofAddress.Granted {
		return nil, errors.Join(tooMany(ofAddress), limit.GiveBack(ctx, s.DB, tries[1]))
	}
	person, err := pg.Value[int64](ctx, s.DB, selectPerson, email)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("look up account: %w", err)
	}
	if ofEmail := tries[1]; !ofEmail.Granted {
		person = 0
	}
	err = pg.InTx(ctx, s.DB, func(tx *pg.Tx) error {
		id, err := code.Issue(ctx, tx, person, code.ForResetPassword, nil)
		if errors.Is(err, pgx.ErrNoRows) {
			tx.Queue(padCommit)
			return nil
		}
		if err != nil {
			return err
		}
		return s.Outbox.Append(ctx, tx, events.UserPasswordResetRequested{UserID: person, CodeID: id})
	})
	if err != nil {
		return nil, fmt.Errorf("request password reset: %w", err)
	}
	return &struct{}{}, nil
}
