package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
)

func TestRoundTrips(t *testing.T) {
	t.Parallel()
	server, counter := functiontest.StartCounted(t, "residences", handlers)
	b := people(t, server)
	b.Base.Cache.Born(t.Context(), b.owner.ID)
	b.Call(t, "GET", all, b.owner.Token, nil)
	b.Call(t, "GET", all, b.member.Token, nil)
	one := b.hire(t, "Joan", nil)
	b.Exec(t, `INSERT INTO task_task (residence_id, title, assigned_to_id) VALUES ($1, 'x', $2)`, b.home, b.member.ID)
	key := functiontest.Header{Name: "Idempotency-Key", Value: "8e0a"}
	body := object{"residence_id": b.home, "name": "x", "specialty_ids": []int{1, 2}}
	for _, c := range []struct {
		what, method, path string
		by                 functiontest.Person
		body               any
		want               int64
	}{
		{"homes", "GET", all, b.owner, nil, 1},
		{"homes with summaries", "GET", all + "my/", b.owner, nil, 1},
		{"home", "GET", b.path(), b.owner, nil, 1},
		{"users", "GET", b.path("users"), b.owner, nil, 1},
		{"contractors", "GET", contractorsPath + "?search=x&specialty_id=1", b.owner, nil, 1},
		{"contractor", "GET", contractorPath(one.ID), b.owner, nil, 1},
		{"create contractor", "POST", contractorsPath, b.owner, body, 4},
		{"create contractor again", "POST", contractorsPath, b.owner, body, 3},
		{"change contractor", "PATCH", contractorPath(one.ID), b.owner, object{"specialty_ids": []int{3}}, 4},
		{"delete contractor", "DELETE", contractorPath(one.ID), b.owner, nil, 3},
		{"hand over", "PATCH", b.path("users", b.viewer.ID), b.owner, object{"role": "owner"}, 4},
		{"leave", "DELETE", b.path("users", b.member.ID), b.member, nil, 3},
	} {
		var headers []functiontest.Header
		if c.method == "POST" {
			headers = append(headers, key)
		}
		before := counter.Counts().RoundTrips
		r := b.Call(t, c.method, c.path, c.by.Token, c.body, headers...)
		require.Less(t, r.Status, 300, "%s: %s", c.what, r.Body)
		require.Equal(t, c.want, counter.Counts().RoundTrips-before, c.what)
	}
}
