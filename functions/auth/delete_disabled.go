package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/pg"
)

// consumer takes what an operator asks of accounts.
func (s *service) consumer() *events.Consumer {
	return &events.Consumer{Name: "auth", DB: s.DB, Log: s.Log, Work: s.deleteDisabled}
}

// deleteDisabled is the work of user.deletion_requested: the deletion that the person could have asked for. It commits by itself;
// coming again, it finds nobody and is done. Nor is there anything to do once the account was enabled, even if it is disabled again.
func (s *service) deleteDisabled(ctx context.Context, e events.Event, _ int) (events.Effect, error) {
	asked, err := events.Decode[events.UserDeletionRequested](e)
	if err != nil {
		return nil, err
	}
	today, err := s.todayOf(ctx, asked.UserID)
	if err == nil {
		err = s.delete(ctx, &deletion{person: asked.UserID, grounds: disabledSince(e.Time), today: today})
	}
	if err != nil && !errors.Is(err, pgx.ErrNoRows) && !errors.Is(err, errTakenBack) {
		return nil, fmt.Errorf("delete account %d: %w", asked.UserID, err)
	}
	return func(context.Context, pgx.Tx) (func(context.Context), error) { return nil, nil }, nil
}

// todayOf returns the date that it is for a person. pgx.ErrNoRows means that there is no such person.
func (s *service) todayOf(ctx context.Context, person int64) (date.Date, error) {
	name, err := pg.Value[*string](ctx, s.DB, `SELECT time_zone FROM auth_user WHERE id = $1`, person)
	if err != nil {
		return 0, fmt.Errorf("look up time zone: %w", err)
	}
	zone := time.UTC
	if name != nil {
		// A zone that this binary does not know any more must not keep an account.
		if known, err := authn.Zone(*name); err == nil {
			zone = known
		}
	}
	return date.In(s.Now(), zone), nil
}
