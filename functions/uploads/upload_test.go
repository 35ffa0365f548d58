package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function/functiontest"
)

// media makes media of an upload by SQL, as attaching does, and returns its key.
func (b *bundle) media(t testing.TB, id int64, contentType, filename, state string, thumbnail bool) string {
	t.Helper()
	key := fmt.Sprintf("media/%d", id)
	b.Exec(t, `UPDATE pending_uploads SET state = 'attached' WHERE id = $1`, id)
	b.Exec(t, `
		INSERT INTO upload_media (id, residence_id, content_type, filename, object_key, state, has_thumbnail) VALUES ($1, $2, $3, nullif($4, ''), $5, $6, $7)`,
		id, b.home, contentType, filename, key, state, thumbnail)
	return key
}

func TestUploadStates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.presign(t, b.vera, "document_image", "image/png", 10)
	path := uploadPath(made.UploadID)
	read := func() Upload { return functiontest.Read[Upload](t, b.Call(t, "GET", path, b.vera.Token, nil), 200) }
	name := "Öl heater.x"
	got := read()
	require.WithinDuration(t, time.Now(), got.CreatedAt, time.Minute)
	require.Equal(t, Upload{
		ID: made.UploadID, Category: "document_image", ContentType: "image/png", ContentLength: 10, Filename: &name, State: "pending",
		ExpiresAt: made.ExpiresAt, CreatedAt: got.CreatedAt,
	}, got)

	b.Exec(t, `UPDATE pending_uploads SET expires_at = now() WHERE id = $1`, made.UploadID)
	require.Equal(t, "expired", read().State)
	functiontest.Refused(t, b.Call(t, "DELETE", path, b.vera.Token, nil), 404)
	b.Exec(t, `UPDATE pending_uploads SET state = 'expired' WHERE id = $1`, made.UploadID)
	require.Equal(t, "expired", read().State)
	functiontest.Refused(t, b.Call(t, "DELETE", path, b.vera.Token, nil), 404)

	b.media(t, made.UploadID, "image/png", "", "cleaning", false)
	require.Equal(t, "cleaning", read().State)
	functiontest.Refused(t, b.Call(t, "DELETE", path, b.vera.Token, nil), 409)
	b.Exec(t, `UPDATE upload_media SET state = 'failed', reason = 'truncated' WHERE id = $1`, made.UploadID)
	reason := "truncated"
	got = read()
	require.Equal(t, "failed", got.State)
	require.Equal(t, &reason, got.Reason)
	b.Exec(t, `UPDATE upload_media SET state = 'ready', reason = NULL WHERE id = $1`, made.UploadID)
	require.Equal(t, "ready", read().State)

	b.Exec(t, `DELETE FROM upload_media WHERE id = $1`, made.UploadID)
	for _, method := range []string{"GET", "DELETE"} {
		functiontest.Refused(t, b.Call(t, method, path, b.vera.Token, nil), 404)
	}
}

func TestGiveUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.upload(t, b.vera, "document_file", pdf, paper())
	key := b.keyOf(t, id)
	require.Equal(t, 204, b.Call(t, "DELETE", uploadPath(id), b.vera.Token, nil).Status)
	for _, method := range []string{"GET", "DELETE"} {
		functiontest.Refused(t, b.Call(t, method, uploadPath(id), b.vera.Token, nil), 404)
	}
	require.True(t, functiontest.Value[bool](t, b.Server, `SELECT due_at > now() + interval '10 minutes' FROM upload_tombstone WHERE object_key = $1`, key),
		"the object goes when nobody can send it again")
}

func TestUploadAccess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.presign(t, b.bob, "document_image", "image/png", 10).UploadID
	before := b.snapshot(t)
	for _, method := range []string{"GET", "DELETE"} {
		for _, token := range []string{"", "hd_unknown"} {
			functiontest.Refused(t, b.Call(t, method, uploadPath(id), token, nil), 401)
		}
		nowhere := b.Call(t, method, uploadPath(999999), b.bob.Token, nil)
		functiontest.Refused(t, nowhere, 404)
		for _, p := range []functiontest.Person{b.ann, b.vera, b.sam} {
			r := b.Call(t, method, uploadPath(id), p.Token, nil)
			functiontest.Refused(t, r, 404)
			require.JSONEq(t, string(nowhere.Body), string(r.Body), "another's upload looks like none")
		}
		functiontest.Refused(t, b.Call(t, method, "/api/uploads/0/", b.bob.Token, nil), 422)
	}
	require.Equal(t, before, b.snapshot(t))
}

// Of giving up and attaching at the same moment one wins.
func TestGiveUpAgainstAttaching(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 20 {
		id := b.upload(t, b.bob, "document_file", pdf, paper())
		calls := []call{
			{"DELETE", uploadPath(id), b.bob.Token, nil},
			{"POST", documentsPath, b.bob.Token, object{"residence_id": b.home, "title": "x", "document_type": "other", "upload_ids": []int64{id}}},
		}
		statuses := b.atOnce(t, calls...)
		won := fmt.Sprint(statuses)
		require.Contains(t, []string{"[204 404]", "[204 422]", "[409 201]"}, won)
		require.Equal(t, won == "[409 201]", functiontest.Value[bool](t, b.Server, `SELECT EXISTS (SELECT FROM upload_media WHERE id = $1)`, id))
	}
}

type call struct {
	method, path, token string
	body                any
}

// atOnce makes all calls at the same moment and returns their statuses.
func (b *bundle) atOnce(t testing.TB, calls ...call) []int {
	t.Helper()
	return functiontest.AtOnce(t, calls, func(c call) (functiontest.Response, error) { return b.Try(c.method, c.path, c.token, c.body) })
}
