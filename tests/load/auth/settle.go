package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/honeydue/backend/tests/load"
)

// settle reads what was written again: sessions that are open, and those that were ended; accounts, and what their people are told.
func (p *people) settle(ctx context.Context, at *load.Site) error {
	me := func(ctx context.Context, s session, status int, is func(u user) bool) error {
		phone := *s.Phone
		fresh := at.Phone()
		phone.URL, phone.Client = fresh.URL, fresh.Client
		answer, err := phone.Call(ctx, http.MethodGet, "/api/auth/me/", nil, "")
		if err := load.Wrong(err, answer.Status != status, "a session as it was left"); err != nil || status != http.StatusOK {
			return err
		}
		shown, err := load.Decode[user](answer.Body)
		return load.Wrong(err, shown.Email != s.email || !is(shown), "an account as it was written")
	}
	return errors.Join(
		load.Reread(ctx, &p.open, func(ctx context.Context, s session) error {
			return me(ctx, s, http.StatusOK, func(user) bool { return true })
		}),
		load.Reread(ctx, &p.dead, func(ctx context.Context, s session) error { return me(ctx, s, http.StatusUnauthorized, nil) }),
		load.Reread(ctx, &p.moved, func(ctx context.Context, v *load.Villager) error {
			return me(ctx, session{v.Phone, v.Email}, http.StatusOK, func(u user) bool { return u.Locale == locale(v) })
		}),
		load.Reread(ctx, &p.tuned, func(ctx context.Context, v *load.Villager) error {
			var shown preferred
			err := v.Read(ctx, preferences, &shown)
			return load.Wrong(err, !shown.of(v), "preferences as they were written")
		}),
	)
}
