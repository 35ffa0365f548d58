package main

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// locate asks where media is and returns the address, which must be given.
func (b *bundle) locate(t testing.TB, path string, by functiontest.Person) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.URL+path, http.NoBody)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Token "+by.Token)
	status, header, content := do(t, request)
	require.Equal(t, http.StatusFound, status, content)
	require.Equal(t, "no-store", header.Get("Cache-Control"))
	require.Empty(t, content)
	return header.Get("Location")
}

// arrange makes media with all three objects and returns its id.
func (b *bundle) arrange(t testing.TB, contentType, filename, state string, thumbnail bool) int64 {
	t.Helper()
	id := functiontest.Value[int64](t, b.Server, `
		INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, expires_at)
		VALUES ($1, 'document_file', $2, 1, 0, gen_random_uuid(), now()) RETURNING id`, b.bob.ID, contentType)
	key := b.media(t, id, contentType, filename, state, thumbnail)
	for _, part := range []string{"original", "clean", "thumb"} {
		b.put(t, key+"/"+part, "application/octet-stream", part+" of "+filename)
	}
	return id
}

func TestFetchMedia(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		contentType, filename string
		thumbnail             bool
		query                 string

		content, served, disposition string
	}{
		"a photo":               {"image/jpeg", "gutter.JPG", true, "", "clean", "image/jpeg", `inline; filename=gutter.JPG`},
		"a heic":                {"image/heic", "roof 1.heic", true, "", "clean", "image/heic", `inline; filename="roof 1.heic"`},
		"its thumbnail":         {"image/heic", "roof 1.heic", true, "?size=thumb", "thumb", "image/jpeg", `inline; filename="roof 1.heic.jpg"`},
		"without a thumbnail":   {"image/webp", "x.webp", false, "?size=thumb", "clean", "image/webp", `inline; filename=x.webp`},
		"a paper":               {pdf, "bill.pdf", false, "", "original", pdf, `attachment; filename=bill.pdf`},
		"a paper's thumbnail":   {pdf, "bill.pdf", false, "?size=thumb", "original", pdf, `attachment; filename=bill.pdf`},
		"of another ending":     {pdf, "bill.html", false, "", "original", pdf, `attachment; filename=bill.html.pdf`},
		"of any language":       {"image/png", "Öl.png", false, "", "clean", "image/png", `inline; filename*=utf-8''%C3%96l.png`},
		"with signs":            {"image/png", `a"b;c.png`, false, "", "clean", "image/png", `inline; filename="a\"b;c.png"`},
		"as long as it can get": {"image/png", string(long()), false, "", "clean", "image/png", ""},
	} {
		id := b.arrange(t, c.contentType, c.filename, "ready", c.thumbnail)
		for _, p := range []functiontest.Person{b.ann, b.bob, b.vera} {
			status, header, content := fetch(t, b.locate(t, mediaPath(id)+c.query, p))
			require.Equal(t, 200, status, "%s: %s", name, content)
			require.Equal(t, c.content+" of "+c.filename, content, name)
			require.Equal(t, c.served, header.Get("Content-Type"), name)
			if c.disposition != "" {
				require.Equal(t, c.disposition, header.Get("Content-Disposition"), name)
			}
		}
	}
	nameless := b.arrange(t, "image/heif", "", "ready", true)
	_, header, _ := fetch(t, b.locate(t, mediaPath(nameless), b.vera))
	require.Regexp(t, `^inline; filename=\d+\.heif$`, header.Get("Content-Disposition"))
}

// long is as many runes as a name may have, of four bytes each.
func long() []rune {
	name := make([]rune, 255)
	for i := range name {
		name[i] = '🏠'
	}
	return name
}

// The address is of one object, and its signature holds what it is served as.
func TestMediaAddressIsBound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	address := b.locate(t, mediaPath(b.arrange(t, "image/jpeg", "x.jpg", "ready", true)), b.vera)
	parsed, err := url.Parse(address)
	require.NoError(t, err)
	require.Equal(t, "300", parsed.Query().Get("X-Amz-Expires"))
	for name, value := range map[string]string{"response-content-type": "text/html", "response-content-disposition": "inline", "X-Amz-Expires": "3000"} {
		query := parsed.Query()
		query.Set(name, value)
		changed := *parsed
		changed.RawQuery = query.Encode()
		status, _, _ := fetch(t, changed.String())
		require.Equal(t, 403, status, name)
	}
	changed := *parsed
	changed.Path = parsed.Path[:len(parsed.Path)-len("clean")] + "original"
	status, _, _ := fetch(t, changed.String())
	require.Equal(t, 403, status)
}

func TestMediaNotReady(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, query := range []string{"", "?size=thumb"} {
		r := b.Call(t, "GET", mediaPath(b.arrange(t, "image/jpeg", "x.jpg", "cleaning", false))+query, b.ann.Token, nil)
		functiontest.Refused(t, r, 409)
		require.Equal(t, "2", r.Header.Get("Retry-After"))
		r = b.Call(t, "GET", mediaPath(b.arrange(t, "image/jpeg", "x.jpg", "failed", false))+query, b.ann.Token, nil)
		functiontest.Refused(t, r, 410)
	}
	waiting := b.presign(t, b.ann, "document_image", "image/png", 10).UploadID
	functiontest.Refused(t, b.Call(t, "GET", mediaPath(waiting), b.ann.Token, nil), 404)
	functiontest.Refused(t, b.Call(t, "GET", mediaPath(waiting)+"?size=hunter2", b.ann.Token, nil), 422)
}

func TestDeleteMedia(t *testing.T) {
	t.Parallel()
	b := setup(t)
	paths := []string{}
	for range 2 {
		paths = append(paths, mediaPath(b.arrange(t, "image/jpeg", "x.jpg", "ready", true)))
	}
	key := functiontest.Value[string](t, b.Server, `SELECT min(object_key) FROM upload_media`)
	require.Equal(t, 204, b.Call(t, "DELETE", paths[0], b.bob.Token, nil).Status)
	for _, method := range []string{"GET", "DELETE"} {
		functiontest.Refused(t, b.Call(t, method, paths[0], b.bob.Token, nil), 404)
	}
	require.Equal(t, []string{key + "/clean", key + "/original", key + "/thumb"}, functiontest.Value[[]string](t, b.Server, `
		SELECT array_agg(object_key ORDER BY object_key) FROM upload_tombstone WHERE object_key LIKE 'media/%' AND due_at <= now()`))
	b.locate(t, paths[1], b.vera)

	statuses := b.atOnce(t, call{"DELETE", paths[1], b.bob.Token, nil}, call{"DELETE", paths[1], b.ann.Token, nil}, call{"DELETE", paths[1], b.bob.Token, nil})
	require.ElementsMatch(t, []int{204, 404, 404}, statuses)
}

func TestMediaAccess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	former := b.Person(t, "fay")
	id := b.arrange(t, "image/jpeg", "hunter2.jpg", "ready", true)
	// Whoever sent it and left sees it no more than others.
	b.Exec(t, `UPDATE upload_media SET created_by_id = $1`, former.ID)
	b.Exec(t, `UPDATE pending_uploads SET user_id = $1`, former.ID)
	before := b.snapshot(t)
	for _, method := range []string{"GET", "DELETE"} {
		for _, token := range []string{"", "hd_unknown"} {
			functiontest.Refused(t, b.Call(t, method, mediaPath(id), token, nil), 401)
		}
		nowhere := b.Call(t, method, mediaPath(999999), b.sam.Token, nil)
		functiontest.Refused(t, nowhere, 404)
		for _, p := range []functiontest.Person{b.sam, former} {
			r := b.Call(t, method, mediaPath(id), p.Token, nil)
			functiontest.Refused(t, r, 404)
			require.JSONEq(t, string(nowhere.Body), string(r.Body), "foreign media looks like none")
		}
	}
	functiontest.Refused(t, b.Call(t, "DELETE", mediaPath(id), b.vera.Token, nil), 403)
	require.Equal(t, before, b.snapshot(t))
}

// Signing asks the bucket nothing.
func TestLocateWithoutBucket(t *testing.T) {
	t.Parallel()
	b := setup(t)
	path := mediaPath(b.arrange(t, "image/jpeg", "x.jpg", "ready", true))
	away := functiontest.OpenBucket(t, &devtest.Bucket{Endpoint: "http://127.0.0.1:1", Region: "eu", Name: "away", AccessKey: "id", SecretKey: "secret"}, bucket.Post)
	down := &bundle{Server: functiontest.StartOn(t, b.DB, name, handlers(away))}
	require.NotEmpty(t, down.locate(t, path, b.vera))
	require.Equal(t, 204, down.Call(t, "DELETE", path, b.bob.Token, nil).Status)
}
