package main

import (
	"context"
	"time"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/pg"
)

type shareResidenceInput struct {
	ResidencePath
	Body *struct {
		ExpiresInHours int `json:"expires_in_hours,omitempty" minimum:"1" maximum:"168" default:"24" example:"48"`
	}
}

// ShareCode lets one person into a home until it ends.
type ShareCode struct {
	Code      string    `json:"code" minLength:"8" maxLength:"8" pattern:"^[A-HJKMNP-Z2-9]{8}$" example:"7KQ2MWXA"`
	ExpiresAt time.Time `json:"expires_at" example:"2026-03-10T11:00:00Z"`
}

type shareResidenceOutput struct{ Body ShareCode }

const defaultCodeHours = 24

func (s *service) shareResidence(ctx context.Context, in *shareResidenceInput) (*shareResidenceOutput, error) {
	me := authn.User(ctx).ID
	hours := defaultCodeHours
	if in.Body != nil && in.Body.ExpiresInHours > 0 {
		hours = in.Body.ExpiresInHours
	}
	made := ShareCode{Code: newCode()}
	err := pg.InTx(ctx, s.DB, func(tx *pg.Tx) error {
		stored, err := hold(ctx, tx, me, in.ID, false)
		if err != nil {
			return err
		}
		if err := stored.access().MayAdminister(); err != nil {
			return err
		}
		made.ExpiresAt, err = keepCode(ctx, tx, in.ID, me, made.Code, hours)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &shareResidenceOutput{made}, nil
}
