package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/honeydue/backend/shared/authn"
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
	own, err := s.provePassword(ctx, me, "body.password", in.Body.Password)
	if err != nil {
		return nil, err
	}
	if own.Email == email {
		return nil, problem.Invalid("body.new_email", "expected another address than the current one")
	}
	if _, err := s.allow(ctx, codesOfPerson.By(strconv.FormatInt(me.ID, 10))); err != nil {
		return nil, err
	}
	err = pg.InTx(ctx, s.DB, func(tx *pg.Tx) error {
		return s.sendVerification(ctx, tx, me.ID, forChangeEmail, &email)
	})
	if err != nil {
		return nil, fmt.Errorf("request change of address: %w", signedOut(err))
	}
	return &struct{}{}, nil
}
