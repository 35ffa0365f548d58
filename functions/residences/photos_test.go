package main

import (
	"fmt"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/attach"
	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
)

func TestPhotosOfAHome(t *testing.T) {
	t.Parallel()
	photos := functiontest.OpenBucket(t, devtest.NewBucket(t), bucket.Post)
	b := people(t, functiontest.Start(t, "residences", func(base *function.Base) func(huma.API) { return newService(base, photos).routes }))
	send := func(p functiontest.Person) int64 { return b.Sent(t, photos, p, "residence_image") }
	copies := func() int {
		found, err := photos.List(t.Context(), "media/", "", 100)
		require.NoError(t, err)
		return len(found)
	}
	file := func(id int64) attach.File { return attach.File{ID: id, ContentType: "image/jpeg", State: "cleaning"} }

	// A new home.
	first, second := send(b.member), send(b.member)
	key := functiontest.Header{Name: "Idempotency-Key", Value: "k1"}
	body := object{"name": "Cabin", "upload_ids": []int64{second, first}}
	answer := b.Call(t, "POST", all, b.member.Token, body, key)
	made := functiontest.Read[Residence](t, answer, 201)
	require.Equal(t, []attach.File{file(first), file(second)}, made.Images)
	require.NotContains(t, string(answer.Body), "upload_ids")
	again := b.Call(t, "POST", all, b.member.Token, body, key)
	require.Equal(t, 201, again.Status)
	require.JSONEq(t, string(answer.Body), string(again.Body))
	require.Len(t, b.Events(t), 2)

	// One that is there.
	third := send(b.member)
	changed := functiontest.Read[Residence](t, b.Call(t, "PATCH", b.path(), b.member.Token, object{"upload_ids": []int64{third}, "city": "Austin"}), 200)
	require.Equal(t, []attach.File{file(third)}, changed.Images)
	for _, path := range []string{b.path(), all, all + "my/"} {
		require.Contains(t, string(b.Call(t, "GET", path, b.viewer.Token, nil).Body), fmt.Sprintf(`"images":[{"id":%d,`, third), path)
	}
	require.Empty(t, functiontest.Read[Residence](t, b.Call(t, "POST", all, b.owner.Token, `{"name":"x","upload_ids":null}`), 201).Images)

	// Refused, and nothing changes.
	fourth := send(b.member)
	foreign, other := send(b.owner), b.Sent(t, photos, b.member, "document_image")
	before, kept := b.state(t), copies()
	for _, c := range []struct {
		by      functiontest.Person
		method  string
		path    string
		uploads []int64
		status  int
	}{
		{b.viewer, "PATCH", b.path(), []int64{fourth}, 403}, {b.stranger, "PATCH", b.path(), []int64{fourth}, 404},
		{b.owner, "PATCH", b.path(), []int64{fourth}, 404}, {b.member, "PATCH", b.path(), []int64{fourth, foreign}, 404},
		{b.member, "PATCH", b.path(), []int64{first}, 422}, {b.member, "PATCH", b.path(), []int64{fourth, other}, 422},
		{b.member, "POST", all, []int64{fourth, first}, 422}, {b.member, "POST", all, []int64{fourth, foreign}, 404},
	} {
		functiontest.Refused(t, b.Call(t, c.method, c.path, c.by.Token, object{"name": "hunter2", "upload_ids": c.uploads}), c.status)
	}
	require.Equal(t, before, b.state(t))
	require.Equal(t, kept, copies())

	// As many as a home can have.
	b.Exec(t, `INSERT INTO upload_media (id, residence_id, content_type, object_key, state) SELECT 1000 + g, $1, 'image/png', 'media/' || g, 'ready' FROM generate_series(1, 48) g`, b.home)
	fifth := send(b.member)
	functiontest.Refused(t, b.Call(t, "PATCH", b.path(), b.member.Token, object{"upload_ids": []int64{fourth, fifth}}), 422)
	functiontest.Read[Residence](t, b.Call(t, "PATCH", b.path(), b.member.Token, object{"upload_ids": []int64{fourth}}), 200)

	require.Equal(t, 204, b.Call(t, "DELETE", b.path(), b.owner.Token, nil).Status)
	require.Equal(t, 3*50, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM upload_tombstone WHERE object_key LIKE 'media/%'`))
}
