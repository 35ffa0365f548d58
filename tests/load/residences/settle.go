package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/honeydue/backend/tests/load"
)

// settle reads what was written again.
func (p *people) settle(ctx context.Context, _ *load.Site) error {
	return errors.Join(
		load.Reread(ctx, &p.described, func(ctx context.Context, home *load.Home) error {
			var shown residence
			err := home.People[0].Read(ctx, at(home), &shown)
			return load.Wrong(err, shown.Description != described(home), "what a home is")
		}),
		load.Reread(ctx, &p.added, func(ctx context.Context, k kept) error {
			return k.read(ctx, func(c contractor) bool { return c.Name == trades[1] })
		}),
		load.Reread(ctx, &p.rated, func(ctx context.Context, k kept) error { return k.read(ctx, contractor.isRated) }),
		load.Reread(ctx, &p.dropped, func(ctx context.Context, k kept) error {
			answer, err := k.by.Call(ctx, http.MethodGet, one(k.id), nil, "")
			return load.Wrong(err, answer.Status != http.StatusNotFound, "that a contractor is gone")
		}),
	)
}

func (k kept) read(ctx context.Context, is func(c contractor) bool) error {
	var shown contractor
	err := k.by.Read(ctx, one(k.id), &shown)
	return load.Wrong(err, shown.ID != k.id || !is(shown), "a contractor as it was written")
}
