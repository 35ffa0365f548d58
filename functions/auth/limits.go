package main

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/limit"
	"github.com/honeydue/backend/shared/problem"
)

// The limits of calls that guess or that send mail. Those of login and reset count failures only.
var (
	loginOfAccount  = limit.Rule{Name: "auth.login.account", Max: 5, Window: 15 * time.Minute} // from one address
	loginOfAddress  = limit.Rule{Name: "auth.login.address", Max: 30, Window: time.Hour}       // over all accounts
	resetOfAddress  = limit.Rule{Name: "auth.reset.address", Max: 30, Window: time.Hour}
	forgotOfAddress = limit.Rule{Name: "auth.forgot.address", Max: 20, Window: time.Hour}
	forgotOfEmail   = limit.Rule{Name: "auth.forgot.email", Max: 5, Window: time.Hour}
	codesOfPerson   = limit.Rule{Name: "auth.codes.person", Max: 5, Window: time.Hour}
	exportsOfPerson = limit.Rule{Name: "auth.export.person", Max: 5, Window: time.Hour}
	registrations   = limit.Rule{Name: "auth.register.address", Max: 20, Window: time.Hour}
)

// allow counts a try and refuses it with 429 when one of the counts does.
func (s *service) allow(ctx context.Context, counts ...limit.Count) (limit.Try, error) {
	return s.allowWith(ctx, &pgx.Batch{}, counts...)
}

// allowWith is allow in the round trip of what batch asks already, whose questions are asked even when the try is refused.
func (s *service) allowWith(ctx context.Context, batch *pgx.Batch, counts ...limit.Count) (limit.Try, error) {
	try, err := limit.TakeWith(ctx, s.DB, batch, counts...)
	if err != nil {
		return limit.Try{}, err
	}
	if !try.Granted {
		return limit.Try{}, tooMany(try)
	}
	return try, nil
}

func tooMany(try limit.Try) error {
	return problem.TooMany("Too many tries. Wait before the next one.", try.After)
}

// loginCounts are those under which a password for email is tried.
func loginCounts(ctx context.Context, email string) []limit.Count {
	address := api.Address(ctx)
	return []limit.Count{loginOfAccount.By(folded(email) + "\x00" + address), loginOfAddress.By(address)}
}

// errWrongPassword means that a password is not that of the account, or that there is no such account.
var errWrongPassword = errors.New("wrong password")
