package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"net/http"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/attach"
	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// A darkroom is a bundle with a bucket, and a task to complete.
type darkroom struct {
	bundle
	photos *bucket.Bucket
	task   int64
}

func setupPhotos(t *testing.T) *darkroom {
	t.Helper()
	return setupPhotosOn(t, devtest.NewBucket(t))
}

func setupPhotosOn(t *testing.T, at *devtest.Bucket) *darkroom {
	t.Helper()
	d := &darkroom{photos: functiontest.OpenBucket(t, at, bucket.Post)}
	d.bundle = bundle{Server: functiontest.Start(t, name, func(base *function.Base) func(huma.API) {
		base.Now = func() time.Time { return noon }
		return newService(base, d.photos).routes
	})}
	d.people(t)
	d.task = d.post(t, object{"due_date": "2026-11-21", "frequency_id": 2}).ID
	return d
}

// A shot is something that was sent.
type shot struct {
	by       functiontest.Person
	category attach.Category
	claimed  string // content type
	sent     string // content type
	encoding string // Content-Encoding
	length   int    // claimed; 0 is what was sent
	slack    int
	content  []byte // nil: nothing was sent
	state    string
	expired  bool
}

func (d *darkroom) jpeg(t *testing.T) shot {
	t.Helper()
	return shot{by: d.ann, category: attach.CompletionImage, claimed: "image/jpeg", sent: "image/jpeg", content: functiontest.JPEG(t), state: "pending"}
}

// send puts what was shot where its signed address puts it, and returns the upload's id.
func (d *darkroom) send(t *testing.T, s shot) int64 {
	t.Helper()
	if s.length == 0 {
		s.length = len(s.content)
	}
	id := functiontest.Value[int64](t, d.Server, `
		INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, state, expires_at)
		VALUES ($1, $2, $3, $4, $5, 'uploads/' || gen_random_uuid(), $6, now() + CASE WHEN $7 THEN -1 ELSE 10 END * interval '1 minute') RETURNING id`,
		s.by.ID, string(s.category), s.claimed, max(s.length, 1), s.slack, s.state, s.expired)
	switch {
	case s.encoding != "":
		d.putEncoded(t, id, s)
	case s.content != nil:
		d.put(t, id, s.sent, s.content)
	}
	return id
}

// putEncoded sends a header that a signature does not cover, as anybody can add one.
func (d *darkroom) putEncoded(t *testing.T, id int64, s shot) {
	t.Helper()
	key := functiontest.Value[string](t, d.Server, `SELECT object_key FROM pending_uploads WHERE id = $1`, id)
	form, err := d.photos.PresignPut(t.Context(), bucket.Upload{Key: key, ContentType: s.sent, Size: int64(len(s.content))})
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), form.Method, form.URL, bytes.NewReader(s.content))
	require.NoError(t, err)
	request.Header = http.Header{"Content-Type": {s.sent}, "Content-Encoding": {s.encoding}}
	answer, err := devtest.Client.Do(request)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode)
}

func (d *darkroom) put(t *testing.T, id int64, contentType string, content []byte) {
	t.Helper()
	key := functiontest.Value[string](t, d.Server, `SELECT object_key FROM pending_uploads WHERE id = $1`, id)
	require.NoError(t, d.photos.Put(t.Context(), key, contentType, bytes.NewReader(content), int64(len(content))))
}

func (d *darkroom) completing(ids ...int64) object {
	return object{"task_id": d.task, "upload_ids": ids}
}

// media returns the keys of all copies.
func (d *darkroom) media(t *testing.T) []string {
	t.Helper()
	found, err := d.photos.List(t.Context(), "media/", "", 1000)
	require.NoError(t, err)
	keys := []string{}
	for _, o := range found {
		keys = append(keys, o.Key)
	}
	return keys
}

// written is all that a refused attachment could have changed.
func (d *darkroom) written(t *testing.T) string {
	t.Helper()
	return functiontest.Value[string](t, d.Server, `
		SELECT concat((SELECT json_agg(p ORDER BY id) FROM pending_uploads p), (SELECT json_agg(m) FROM upload_media m), (SELECT json_agg(o) FROM upload_tombstone o),
			(SELECT json_agg(c) FROM task_taskcompletion c), (SELECT json_agg(k ORDER BY id) FROM task_task k), (SELECT count(*) FROM outbox_event),
			(SELECT count(*) FROM shared_idempotency))`)
}

func TestAttachPhotos(t *testing.T) {
	t.Parallel()
	d := setupPhotos(t)
	first, second, third := d.send(t, d.jpeg(t)), d.send(t, d.jpeg(t)), d.send(t, d.jpeg(t))
	key := functiontest.Header{Name: "Idempotency-Key", Value: "k1"}
	events := len(d.Events(t))
	answer := d.Call(t, "POST", "/api/task-completions/", d.ann.Token, d.completing(second, first), key)
	made := functiontest.Read[completed](t, answer, 201).Completion
	require.Equal(t, []attach.File{{ID: first, ContentType: "image/jpeg", State: "cleaning"}, {ID: second, ContentType: "image/jpeg", State: "cleaning"}}, made.Images)
	require.Len(t, d.Events(t), events+3, "one of the completion and one of each photo")
	require.Equal(t, []string{"attached", "attached", "pending"}, functiontest.Value[[]string](t, d.Server, `SELECT array_agg(state ORDER BY id) FROM pending_uploads`))
	require.Len(t, d.media(t), 2)

	// Sent again, nothing is wrong with uploads that are attached by now.
	again := d.Call(t, "POST", "/api/task-completions/", d.ann.Token, d.completing(second, first), key)
	require.Equal(t, 201, again.Status, string(again.Body))
	require.JSONEq(t, string(answer.Body), string(again.Body))
	require.Equal(t, "true", again.Header.Get("Idempotent-Replay"))

	// What is sent to the signed address afterwards is nothing that anybody sees.
	before := d.content(t, first)
	d.put(t, first, "image/jpeg", []byte("<html>"))
	require.Equal(t, before, d.content(t, first))

	added := functiontest.Read[completion](t, d.Call(t, "PATCH", completionPath(made.ID), d.bob.Token, object{"notes": "x"}), 200)
	require.Equal(t, made.Images, added.Images)
	functiontest.Refused(t, d.Call(t, "PATCH", completionPath(made.ID), d.bob.Token, object{"upload_ids": []int64{third}}), 404)
	added = functiontest.Read[completion](t, d.Call(t, "PATCH", completionPath(made.ID), d.ann.Token, object{"upload_ids": []int64{third}}), 200)
	require.Len(t, added.Images, 3)
	listed := functiontest.Read[struct{ Results []completion }](t, d.Call(t, "GET", "/api/task-completions/", d.vera.Token, nil), 200).Results
	require.Equal(t, added.Images, listed[0].Images)

	// Taken back, the entry leaves its photos to the sweeper.
	require.Equal(t, 204, d.Call(t, "DELETE", completionPath(made.ID), d.ann.Token, nil).Status)
	require.Equal(t, 3, functiontest.Value[int](t, d.Server, `SELECT count(*) FROM upload_tombstone WHERE object_key LIKE 'media/%/original'`))
}

// content reads the copy of an attached upload.
func (d *darkroom) content(t *testing.T, id int64) []byte {
	t.Helper()
	key := functiontest.Value[string](t, d.Server, `SELECT object_key FROM upload_media WHERE id = $1`, id)
	_, head, err := d.photos.ReadHead(t.Context(), key+"/original", 1<<20)
	require.NoError(t, err)
	return head
}

func TestAttachRefused(t *testing.T) {
	t.Parallel()
	d := setupPhotos(t)
	good := d.jpeg(t)
	truncated := functiontest.JPEG(t)
	var small bytes.Buffer
	require.NoError(t, png.Encode(&small, image.NewGray(image.Rect(0, 0, 8, 8))))
	pdf := []byte("%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n")
	with := func(change func(s *shot)) shot {
		s := good
		change(&s)
		return s
	}
	for what, c := range map[string]struct {
		shot
		status int
	}{
		"another's":            {with(func(s *shot) { s.by = d.bob }), 404},
		"given up":             {with(func(s *shot) { s.state = "given_up" }), 404},
		"attached already":     {with(func(s *shot) { s.state = "attached" }), 422},
		"expired":              {with(func(s *shot) { s.expired = true }), 422},
		"swept":                {with(func(s *shot) { s.state = "expired" }), 422},
		"of another category":  {with(func(s *shot) { s.category = attach.DocumentImage }), 422},
		"not sent":             {with(func(s *shot) { s.content, s.length = nil, 100 }), 422},
		"a byte longer":        {with(func(s *shot) { s.length = len(s.content) - 1 }), 422},
		"a byte shorter":       {with(func(s *shot) { s.length = len(s.content) + 1 }), 422},
		"beyond the slack":     {with(func(s *shot) { s.length, s.slack = len(s.content)+257, 256 }), 422},
		"sent as another type": {with(func(s *shot) { s.sent = "text/html" }), 422},
		"a PDF named .jpg":     {with(func(s *shot) { s.content = pdf }), 422},
		"a PNG named .jpg":     {with(func(s *shot) { s.content = small.Bytes() }), 422},
		"HTML with a JPEG header": {with(func(s *shot) {
			s.content = append([]byte("\xff\xd8\xff\xe0"), "<html><script>alert(1)</script></html>"...)
		}), 422},
		"50,000 pixels a side": {with(func(s *shot) { s.claimed, s.sent, s.content = "image/png", "image/png", hugePNG(t) }), 422},
		"a truncated JPEG":     {with(func(s *shot) { s.content = truncated[:len(truncated)-20] }), 422},
		"a truncated PNG":      {with(func(s *shot) { s.claimed, s.sent, s.content = "image/png", "image/png", small.Bytes()[:small.Len()-8] }), 422},
		"a truncated PDF":      {with(func(s *shot) { s.claimed, s.sent, s.content = "application/pdf", "application/pdf", pdf[:20] }), 422},
		"compressed":           {with(func(s *shot) { s.encoding = "gzip" }), 422},
		"empty":                {with(func(s *shot) { s.content = []byte{} }), 422},
	} {
		t.Run(what, func(t *testing.T) {
			fine, wrong := d.send(t, good), d.send(t, c.shot)
			before, copies := d.written(t), d.media(t)
			for _, call := range []struct {
				method, path string
				body         object
			}{
				{"POST", "/api/task-completions/", d.completing(fine, wrong)},
				{"POST", "/api/task-completions/", d.completing(wrong)},
			} {
				r := d.Call(t, call.method, call.path, d.ann.Token, call.body)
				functiontest.Refused(t, r, c.status)
				require.Contains(t, string(r.Body), fmt.Sprintf(`"body.upload_ids[%d]"`, len(call.body["upload_ids"].([]int64))-1))
			}
			require.Equal(t, before, d.written(t))
			require.Equal(t, copies, d.media(t), "a copy is left behind")
			// The one beside it is as good as before.
			other := d.post(t, nil).ID
			functiontest.Read[completed](t, d.Call(t, "POST", "/api/task-completions/", d.ann.Token, object{"task_id": other, "upload_ids": []int64{fine}}), 201)
		})
	}
	id := d.send(t, good)
	before := d.written(t)
	functiontest.Refused(t, d.Call(t, "POST", "/api/task-completions/", d.ann.Token, d.completing(id, id)), 422)
	functiontest.Refused(t, d.Call(t, "POST", "/api/task-completions/", d.sam.Token, d.completing(id)), 404)
	functiontest.Refused(t, d.Call(t, "POST", "/api/task-completions/", d.vera.Token, d.completing(id)), 403)
	require.Equal(t, before, d.written(t))
}

// hugePNG claims 50,000 by 50,000 pixels in a header whose checksum is right.
func hugePNG(t *testing.T) []byte {
	t.Helper()
	var file bytes.Buffer
	require.NoError(t, png.Encode(&file, image.NewGray(image.Rect(0, 0, 1, 1))))
	content := file.Bytes()
	const header = 8 + 8 // behind the signature, and the chunk's length and type
	binary.BigEndian.PutUint32(content[header:], 50_000)
	binary.BigEndian.PutUint32(content[header+4:], 50_000)
	binary.BigEndian.PutUint32(content[header+13:], crc32.ChecksumIEEE(content[header-4:header+13]))
	return content
}

func TestWithinTheSlack(t *testing.T) {
	t.Parallel()
	d := setupPhotos(t)
	s := d.jpeg(t)
	s.length, s.slack = len(s.content)-256, 256
	functiontest.Read[completed](t, d.Call(t, "POST", "/api/task-completions/", d.ann.Token, d.completing(d.send(t, s))), 201)
}

// A hundred times two people at two tasks want the same photo, or one person twice: one of the two gets it.
func TestTwoAttachOnePhoto(t *testing.T) {
	t.Parallel()
	d := setupPhotos(t)
	good := d.jpeg(t)
	for range 100 {
		first, second := d.post(t, nil).ID, d.post(t, nil).ID
		id, beside := d.send(t, good), d.send(t, good)
		statuses := make(chan int, 2)
		for _, body := range []object{
			{"task_id": first, "upload_ids": []int64{id, beside}}, {"task_id": second, "upload_ids": []int64{beside, id}},
		} {
			go func() {
				r, err := d.Try(http.MethodPost, "/api/task-completions/", d.ann.Token, body)
				if err != nil {
					r.Status = -1
				}
				statuses <- r.Status
			}()
		}
		require.ElementsMatch(t, []int{201, 422}, []int{<-statuses, <-statuses})
		require.Equal(t, 2, functiontest.Value[int](t, d.Server, `SELECT count(*) FROM upload_media WHERE id IN ($1, $2)`, id, beside))
		require.Equal(t, 1, functiontest.Value[int](t, d.Server, `SELECT count(*) FROM task_taskcompletion WHERE task_id IN ($1, $2)`, first, second))
	}
	require.Len(t, d.media(t), 200, "copies that nobody owns are left")
}

// With the bucket away, attaching is refused and nothing written; all else goes on.
func TestAttachWithoutBucket(t *testing.T) {
	t.Parallel()
	server := devtest.StartS3(t)
	d := setupPhotosOn(t, devtest.NewBucketOn(t, server))
	id := d.send(t, d.jpeg(t))
	before := d.written(t)
	require.NoError(t, server.Stop(t.Context()))
	r := d.Call(t, "POST", "/api/task-completions/", d.ann.Token, d.completing(id))
	functiontest.Refused(t, r, 503)
	require.NotEmpty(t, r.Header.Get("Retry-After"))
	require.Equal(t, before, d.written(t))
	other := d.post(t, nil).ID
	d.complete(t, other, nil)
	require.NoError(t, server.Start(t.Context()))

	// One that takes requests and answers none is no different, however many files there are.
	ids := []int64{id}
	for range 9 {
		ids = append(ids, d.send(t, d.jpeg(t)))
	}
	before = d.written(t)
	server.Pause()
	functiontest.Refused(t, d.Call(t, "POST", "/api/task-completions/", d.ann.Token, d.completing(ids...)), 503)
	server.Resume()
	require.Equal(t, before, d.written(t))
	functiontest.Read[completed](t, d.Call(t, "POST", "/api/task-completions/", d.ann.Token, d.completing(id)), 201)
}
