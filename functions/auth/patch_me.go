package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/patch"
)

type patchMeInput struct {
	Body struct {
		FirstName *string             `json:"first_name,omitempty" maxLength:"100" pattern:"^[^\\x00-\\x1f\\x7f]*$" patternDescription:"no control characters" example:"Ann"`
		LastName  *string             `json:"last_name,omitempty" maxLength:"100" pattern:"^[^\\x00-\\x1f\\x7f]*$" patternDescription:"no control characters" example:"Meyer"`
		TimeZone  patch.Field[string] `json:"time_zone,omitempty" maxLength:"64" doc:"IANA time zone; null: UTC, unless a call says another" example:"Europe/Berlin"`
		Locale    *string             `json:"locale,omitempty" maxLength:"35" pattern:"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$" patternDescription:"a BCP 47 language tag" example:"en-US"`
		Currency  *string             `json:"currency,omitempty" maxLength:"3" pattern:"^[A-Z]{3}$" patternDescription:"an ISO 4217 code" example:"USD"`
	}
}

func (s *service) patchMe(ctx context.Context, in *patchMeInput) (*userOutput, error) {
	b := in.Body
	if err := checkZone(b.TimeZone.Value); err != nil {
		return nil, err
	}
	me := authn.User(ctx).ID
	var changed user
	err := s.changingZone(ctx, me, b.TimeZone.Sent, func() (err error) {
		changed, err = oneUser(ctx, s.DB, updateUser, me, trimmed(b.FirstName), trimmed(b.LastName),
			b.TimeZone.Sent, b.TimeZone.Value, b.Locale, b.Currency)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("change user: %w", signedOut(err))
	}
	return &userOutput{changed}, nil
}

const updateUser = `
UPDATE auth_user u SET
    first_name = coalesce($2::text, u.first_name),
    last_name = coalesce($3::text, u.last_name),
    time_zone = CASE WHEN $4::boolean THEN $5::text ELSE u.time_zone END,
    locale = coalesce($6::text, u.locale),
    currency = coalesce($7::text, u.currency),
    updated_at = now()
WHERE u.id = $1
RETURNING ` + userColumns

// trimmed cuts the spaces around a text that was sent.
func trimmed(text *string) *string {
	if text == nil {
		return nil
	}
	return new(strings.TrimSpace(*text))
}
