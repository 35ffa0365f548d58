package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/attach"
	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// filed is a document with those uploads.
func (b *bundle) filed(ids ...int64) object {
	return object{"residence_id": b.home, "title": "Heater", "document_type": "manual", "upload_ids": ids}
}

// A picture and a paper, sent in either form, become files of a document, once however often that is asked.
func TestDocumentWithFiles(t *testing.T) {
	t.Parallel()
	for _, method := range []bucket.Method{bucket.Post, bucket.Put} {
		t.Run(string(method), func(t *testing.T) {
			t.Parallel()
			b := setupWith(t, method)
			picture, text := b.upload(t, b.bob, "document_image", "image/jpeg", photo(t)), b.upload(t, b.bob, "document_file", pdf, paper())
			key := functiontest.Header{Name: "Idempotency-Key", Value: "k1"}
			first := b.Call(t, "POST", documentsPath, b.bob.Token, b.filed(text, picture), key)
			made := functiontest.Read[Document](t, first, 201)
			require.Equal(t, []attach.File{{ID: picture, ContentType: "image/jpeg", State: "cleaning"}, {ID: text, ContentType: pdf, State: "ready"}}, made.Files)
			again := b.Call(t, "POST", documentsPath, b.bob.Token, b.filed(text, picture), key)
			require.Equal(t, "true", again.Header.Get("Idempotent-Replay"))
			require.JSONEq(t, string(first.Body), string(again.Body))

			require.Equal(t, made, functiontest.Read[Document](t, b.Call(t, "GET", documentPath(made.ID), b.vera.Token, nil), 200))
			require.Equal(t, "0", b.listed(t, []Document{made}, ""))
			require.Equal(t, "cleaning", functiontest.Read[Upload](t, b.Call(t, "GET", uploadPath(picture), b.bob.Token, nil), 200).State)
			require.Equal(t, []string{fmt.Sprintf(`com.myhoneydue.upload.attached.v1 {"upload_id": %d, "residence_id": %d}`, picture, b.home)}, b.Events(t))
			functiontest.Refused(t, b.Call(t, "GET", mediaPath(picture), b.vera.Token, nil), 409)
			status, header, content := fetch(t, b.locate(t, mediaPath(text), b.vera))
			require.Equal(t, 200, status)
			require.Equal(t, string(paper()), content)
			require.Equal(t, `attachment; filename*=utf-8''%C3%96l%20heater.x.pdf`, header.Get("Content-Disposition"))

			functiontest.Refused(t, b.Call(t, "POST", documentsPath, b.bob.Token, b.filed(text)), 422)
			require.Equal(t, 204, b.Call(t, "DELETE", documentPath(made.ID), b.bob.Token, nil).Status)
			functiontest.Refused(t, b.Call(t, "GET", mediaPath(text), b.vera.Token, nil), 404)
			require.Equal(t, 6, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM upload_tombstone WHERE object_key LIKE 'media/%'`))
		})
	}
}

func TestAddFiles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	early, late := b.upload(t, b.ann, "document_file", pdf, paper()), b.upload(t, b.ann, "document_image", "image/jpeg", photo(t))
	made := functiontest.Read[Document](t, b.Call(t, "POST", documentsPath, b.ann.Token, b.filed(late)), 201)
	add := object{"upload_ids": []int64{early}}
	changed := functiontest.Read[Document](t, b.Call(t, "PATCH", documentPath(made.ID), b.ann.Token, add), 200)
	require.Equal(t, []attach.File{{ID: early, ContentType: pdf, State: "ready"}, {ID: late, ContentType: "image/jpeg", State: "cleaning"}}, changed.Files)
	require.Equal(t, changed, functiontest.Read[Document](t, b.Call(t, "GET", documentPath(made.ID), b.vera.Token, nil), 200))

	require.Equal(t, 204, b.Call(t, "DELETE", mediaPath(early), b.bob.Token, nil).Status)
	left := functiontest.Read[Document](t, b.Call(t, "GET", documentPath(made.ID), b.vera.Token, nil), 200)
	require.Len(t, left.Files, 1)

	b.Exec(t, `
		INSERT INTO upload_media (id, residence_id, document_id, content_type, object_key, state)
		SELECT 1000 + g, $1, $2, 'application/pdf', 'media/' || g, 'ready' FROM generate_series(1, 49) g`, b.home, made.ID)
	more := b.upload(t, b.ann, "document_file", pdf, paper())
	before := b.snapshot(t)
	require.Equal(t, []string{"body.upload_ids"}, locations(t, b.Call(t, "PATCH", documentPath(made.ID), b.ann.Token, object{"upload_ids": []int64{more}})))
	require.Equal(t, before, b.snapshot(t))
	b.Exec(t, `DELETE FROM upload_media WHERE id = 1001`)
	full := functiontest.Read[Document](t, b.Call(t, "PATCH", documentPath(made.ID), b.ann.Token, object{"upload_ids": []int64{more}}), 200)
	require.Len(t, full.Files, 50)
}

// What cannot be attached leaves no document, and the upload as it was.
func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	stored := b.keep(t, "x", nil)
	good := b.upload(t, b.bob, "document_file", pdf, paper())
	wrong := b.upload(t, b.bob, "completion_image", "image/jpeg", photo(t))
	theirs := b.upload(t, b.ann, "document_file", pdf, paper())
	unsent := b.presign(t, b.bob, "document_file", pdf, 10).UploadID
	before := b.snapshot(t)
	for name, c := range map[string]struct {
		id     int64
		status int
	}{
		"wrong category": {wrong, 422}, "twice": {good, 422}, "never sent": {unsent, 422}, "another member's": {theirs, 404}, "none": {999999, 404},
	} {
		for _, r := range []functiontest.Response{
			b.Call(t, "POST", documentsPath, b.bob.Token, b.filed(good, c.id)),
			b.Call(t, "PATCH", documentPath(stored.ID), b.bob.Token, object{"upload_ids": []int64{good, c.id}}),
		} {
			functiontest.Refused(t, r, c.status)
			require.Contains(t, string(r.Body), "body.upload_ids[1]", name)
		}
	}
	require.Equal(t, before, b.snapshot(t))
	require.Len(t, functiontest.Read[Document](t, b.Call(t, "POST", documentsPath, b.bob.Token, b.filed(good)), 201).Files, 1)
}

// Of two who attach one upload at the same moment one does.
func TestTwoAttachOneUpload(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for round := range 10 {
		id := b.upload(t, b.bob, "document_file", pdf, paper())
		create := call{"POST", documentsPath, b.bob.Token, b.filed(id)}
		require.ElementsMatch(t, []int{201, 422}, b.atOnce(t, create, create))
		require.Equal(t, round+1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM upload_document d JOIN upload_media f ON f.document_id = d.id`))
		require.Equal(t, round+1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM upload_document`))
	}
}

// While the bucket is away nothing is attached, and all else goes on.
func TestFilesWithoutBucket(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.upload(t, b.bob, "document_file", pdf, paper())
	away := functiontest.OpenBucket(t, &devtest.Bucket{Endpoint: "http://127.0.0.1:1", Region: "eu", Name: "away", AccessKey: "id", SecretKey: "secret"}, bucket.Post)
	down := functiontest.StartOn(t, b.DB, name, handlers(away))
	before := b.snapshot(t)
	r := down.Call(t, "POST", documentsPath, b.bob.Token, b.filed(id))
	functiontest.Refused(t, r, 503)
	require.NotEmpty(t, r.Header.Get("Retry-After"))
	require.Equal(t, before, b.snapshot(t))
	require.Equal(t, 201, down.Call(t, "POST", documentsPath, b.bob.Token, b.filed()).Status)
	require.Equal(t, 201, b.Call(t, "POST", documentsPath, b.bob.Token, b.filed(id)).Status)
}
