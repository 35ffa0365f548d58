package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/limit"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

type changeEmailInput struct {
	Body struct {
		NewEmail string `json:"new_email" maxLength:"254" example:"ann.meyer@example.com"`
		Password string `json:"password" minLength:"1" maxLength:"128" example:"seven quiet herons"`
	}
}

// changeEmail does not look whether another account has the new address: only who can read its mail may learn that.
func (s *service) changeEmail(ctx context.Context, in *changeEmailInput) (*struct{}, error) {
	email, err := parseEmail("body.new_email", in.Body.NewEmail)
	if err != nil {
		return nil, err
	}
	me := authn.User(ctx)
	own, try, err := s.provePassword(ctx, me, "body.password", in.Body.Password, codesOfPerson.By(strconv.FormatInt(me.ID, 10)))
	if err != nil {
		return nil, err
	}
	if own.Email == email {
		err = problem.Invalid("body.new_email", "expected another address than the current one")
		return nil, errors.Join(err, limit.GiveBack(ctx, s.DB, try))
	}
	err = pg.InTx(ctx, s.DB, func(tx *pg.Tx) error {
		try.GiveBackWith(tx)
		return s.sendVerification(ctx, tx, me.ID, code.ForChangeEmail, &email)
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("request change of address: %w", signedOut(err)), limit.GiveBack(ctx, s.DB, try))
	}
	return &struct{}{}, nil
}
