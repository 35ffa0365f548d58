package main

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

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

// TestAStoredAnswerGoesWithItsHome: whoever joined has its address in the answer to that.
func TestAStoredAnswerGoesWithItsHome(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `UPDATE residence_residence SET street_address = '1 Quorndyke Way' WHERE id = $1`, b.home)
	code := functiontest.Read[ShareCode](t, b.Call(t, http.MethodPost, fmt.Sprintf("/api/residences/%d/share/", b.home), b.owner.Token, nil), 201).Code
	joined := b.Call(t, http.MethodPost, "/api/residences/join/", b.stranger.Token, map[string]any{"code": code}, functiontest.Header{Name: "Idempotency-Key", Value: "8e0a"})
	require.Contains(t, string(joined.Body), "Quorndyke")
	kept := func() int {
		return functiontest.Value[int](t, b.Server, `SELECT count(*) FROM shared_idempotency WHERE answer LIKE '%Quorndyke%'`)
	}
	require.Equal(t, 1, kept())
	require.Equal(t, 204, b.Call(t, http.MethodDelete, fmt.Sprintf("/api/residences/%d/", b.home), b.owner.Token, nil).Status)
	require.Zero(t, kept())
}
