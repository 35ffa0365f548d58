package main

import (
	"context"
	"time"

	"github.com/honeydue/backend/shared/pg"
)

// A user is an account as its owner sees it.
type user struct {
	ID            int64     `json:"id" example:"7"`
	Email         string    `json:"email" format:"email" example:"ann@example.com"`
	FirstName     string    `json:"first_name" example:"Ann"`
	LastName      string    `json:"last_name" example:"Meyer"`
	EmailVerified bool      `json:"email_verified" doc:"Whether the address was proved with a code"`
	TimeZone      *string   `json:"time_zone" doc:"IANA time zone, or null" example:"Europe/Berlin"`
	Locale        string    `json:"locale" doc:"BCP 47 language tag" example:"en-US"`
	Currency      string    `json:"currency" doc:"ISO 4217 code" example:"USD"`
	CreatedAt     time.Time `json:"created_at"`
}

// userColumns are the columns of user, of auth_user as u.
const userColumns = `u.id, u.email, u.first_name, u.last_name, u.email_verified_at IS NOT NULL AS email_verified,
    u.time_zone, u.locale, u.currency, u.created_at`

// oneUser reads the one user that sql gives. No row is pgx.ErrNoRows.
func oneUser(ctx context.Context, q pg.Querier, sql string, args ...any) (user, error) {
	found, err := pg.One[user](ctx, q, sql, args...)
	found.CreatedAt = found.CreatedAt.UTC()
	return found, err
}

// userOutput is an answer that is the account itself.
type userOutput struct{ Body user }

// signedIn is the answer to whoever proved who they are.
type signedIn struct {
	Token string `json:"token" doc:"Goes into the header Authorization: Token hd_…; lives 90 days after its last use" example:"hd_gZ3N5sJ0vYq8dB2c…"`
	User  user   `json:"user"`
}

type signedInOutput struct{ Body signedIn }
