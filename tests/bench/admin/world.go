package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/honeydue/backend/tests/bench/world"
)

// openCrowd opens a world with very many people and an operator who is signed in with the cookie that it returns.
func openCrowd(ctx context.Context) (w *world.World, cookie string, err error) {
	if w, err = world.Open(ctx, "admin"); err != nil {
		return nil, "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	for _, statement := range crowd() {
		if _, err := w.DB.Exec(ctx, statement); err != nil {
			return w, "", fmt.Errorf("fill: %w", err)
		}
	}
	cookie = "hda_" + rand.Text()
	if _, err := w.DB.Exec(ctx, insertOperator, cookie); err != nil {
		return w, "", fmt.Errorf("insert operator: %w", err)
	}
	return w, cookie, nil
}
