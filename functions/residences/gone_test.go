package main

import (
	"net/http"
	"testing"

	"github.com/honeydue/backend/shared/function/functiontest"
)

// TestTheCallersAccountIsGone: a token that the cache still knows belongs to nobody.
func TestTheCallersAccountIsGone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	functiontest.Read[map[string]any](t, b.Call(t, http.MethodGet, "/api/residences/", b.stranger.Token, nil), 200)
	b.Exec(t, `DELETE FROM auth_user WHERE id = $1`, b.stranger.ID)
	functiontest.Refused(t, b.Call(t, http.MethodPost, "/api/residences/", b.stranger.Token, map[string]any{"name": "Elm Street"}), 401)
}
