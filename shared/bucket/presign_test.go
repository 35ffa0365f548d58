package bucket

import (
	"bytes"
	"context"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
)

// A photo is claimed by every test here.
const photoSize = 1000

var photo = Upload{Key: "uploads/k3y", ContentType: "image/jpeg", Size: photoSize}

// send does what a phone does with a form and returns the bucket's status.
func send(t *testing.T, f Form, size int) int {
	t.Helper()
	content := bytes.Repeat([]byte("x"), size)
	body, contentType := io.Reader(bytes.NewReader(content)), f.Headers["Content-Type"]
	if f.Method == http.MethodPost {
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		for name, value := range f.Fields {
			require.NoError(t, w.WriteField(name, value))
		}
		file, err := w.CreateFormFile("file", "photo.jpg")
		require.NoError(t, err)
		_, err = file.Write(content)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		body, contentType = &form, w.FormDataContentType()
	}
	status, _, _ := fetch(t, f.Method, f.URL, contentType, body)
	return status
}

func fetch(t *testing.T, method, address, contentType string, body io.Reader) (int, http.Header, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, body)
	require.NoError(t, err)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	answer, err := devtest.Client.Do(request)
	require.NoError(t, err)
	defer func() { require.NoError(t, answer.Body.Close()) }()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, answer.Header, string(text)
}

// presigner is PresignPost or PresignPut.
type presigner func(*Bucket, context.Context, Upload) (Form, error)

func presign(t *testing.T, b *Bucket, f presigner, u Upload) Form {
	t.Helper()
	form, err := f(b, t.Context(), u)
	require.NoError(t, err)
	return form
}

func TestSend(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sign  presigner
		sizes []int
	}{
		"POST": {(*Bucket).PresignPost, []int{photoSize, photoSize - Slack, photoSize + Slack}},
		"PUT":  {(*Bucket).PresignPut, []int{photoSize}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openBucket(t, config(devtest.NewBucket(t)))
			for _, size := range c.sizes {
				before := time.Now()
				form := presign(t, b, c.sign, photo)
				require.Equal(t, name, form.Method)
				require.WithinRange(t, form.ExpiresAt, before.Add(SendLife), time.Now().Add(SendLife))
				require.Less(t, send(t, form, size), 300)
				sent, err := b.Stat(t.Context(), photo.Key)
				require.NoError(t, err)
				require.EqualValues(t, size, sent.Size)
				require.Equal(t, photo.ContentType, sent.ContentType)
			}
		})
	}
}

func TestSendRefused(t *testing.T) {
	t.Parallel()
	at := devtest.NewBucket(t)
	b, neighbour := openBucket(t, config(at)), openBucket(t, config(devtest.NewBucket(t)))
	unknown := config(at)
	unknown.SecretKey = "another"
	forger, expired := openBucket(t, unknown), openBucket(t, config(at))
	expired.sendLife = -time.Second

	post := func() Form { return presign(t, b, (*Bucket).PresignPost, photo) }
	put := func() Form { return presign(t, b, (*Bucket).PresignPut, photo) }
	with := func(f Form, change func(*Form)) Form {
		f.Fields, f.Headers = maps.Clone(f.Fields), maps.Clone(f.Headers)
		change(&f)
		return f
	}
	for name, c := range map[string]struct {
		form Form
		size int
	}{
		"POST too long":      {post(), photoSize + Slack + 1},
		"POST too short":     {post(), photoSize - Slack - 1},
		"POST another type":  {with(post(), func(f *Form) { f.Fields["Content-Type"] = "text/html" }), photoSize},
		"POST no type":       {with(post(), func(f *Form) { delete(f.Fields, "Content-Type") }), photoSize},
		"POST another key":   {with(post(), func(f *Form) { f.Fields["key"] = "media/0ther" }), photoSize},
		"POST another place": {with(post(), func(f *Form) { f.URL = strings.Replace(f.URL, b.name, neighbour.name, 1) }), photoSize},
		"POST one more":      {with(post(), func(f *Form) { f.Fields["x-amz-meta-home"] = "here" }), photoSize},
		"POST public":        {with(post(), func(f *Form) { f.Fields["acl"] = "public-read" }), photoSize},
		"POST no policy":     {with(post(), func(f *Form) { delete(f.Fields, "policy") }), photoSize},
		"POST unsigned":      {with(post(), func(f *Form) { f.Fields = map[string]string{"key": photo.Key} }), photoSize},
		"POST forged":        {presign(t, forger, (*Bucket).PresignPost, photo), photoSize},
		"POST expired":       {presign(t, expired, (*Bucket).PresignPost, photo), photoSize},
		"PUT one more":       {put(), photoSize + 1},
		"PUT one less":       {put(), photoSize - 1},
		"PUT empty":          {put(), 0},
		"PUT another type":   {with(put(), func(f *Form) { f.Headers["Content-Type"] = "text/html" }), photoSize},
		"PUT no type":        {with(put(), func(f *Form) { delete(f.Headers, "Content-Type") }), photoSize},
		"PUT another place":  {with(put(), func(f *Form) { f.URL = strings.Replace(f.URL, b.name, neighbour.name, 1) }), photoSize},
		"PUT another key":    {with(put(), func(f *Form) { f.URL = strings.Replace(f.URL, photo.Key, "media/0ther", 1) }), photoSize},
		"PUT unsigned":       {with(put(), func(f *Form) { f.URL, _, _ = strings.Cut(f.URL, "?") }), photoSize},
		"PUT forged":         {presign(t, forger, (*Bucket).PresignPut, photo), photoSize},
		"PUT as POST":        {with(put(), func(f *Form) { f.Method = http.MethodPost }), photoSize},
		"POST as PUT":        {with(post(), func(f *Form) { f.Method, f.URL = http.MethodPut, f.URL+photo.Key }), photoSize},
	} {
		status := send(t, c.form, c.size)
		require.GreaterOrEqual(t, status, 400, name)
		require.Less(t, status, 500, name)
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete, http.MethodHead} {
		status, _, _ := fetch(t, method, put().URL, photo.ContentType, nil)
		require.Equal(t, http.StatusForbidden, status, method)
	}
	for _, bucket := range []*Bucket{b, neighbour} {
		stored, err := bucket.List(t.Context(), "", "", 10)
		require.NoError(t, err)
		require.Empty(t, stored)
	}
}

func TestSignedAddressExpires(t *testing.T) {
	t.Parallel()
	b := openBucket(t, config(devtest.NewBucket(t)))
	b.sendLife, b.fetchLife = 4*time.Second, 4*time.Second
	put := presign(t, b, (*Bucket).PresignPut, photo)
	get, err := b.PresignGet(t.Context(), photo.Key, photo.ContentType, "inline")
	require.NoError(t, err)
	fetched := func() int {
		status, _, _ := fetch(t, http.MethodGet, get, "", nil)
		return status
	}
	require.Equal(t, http.StatusOK, send(t, put, photoSize))
	require.Equal(t, http.StatusOK, fetched())
	require.Eventually(t, func() bool { return send(t, put, photoSize) == http.StatusForbidden }, 20*time.Second, 200*time.Millisecond)
	require.Eventually(t, func() bool { return fetched() == http.StatusForbidden }, 20*time.Second, 200*time.Millisecond)
}

func TestPresignTakesTheMethod(t *testing.T) {
	t.Parallel()
	at := devtest.BehaveLikeB2(t, devtest.NewBucket(t))
	for method, want := range map[Method]int{Post: http.StatusNotImplemented, Put: http.StatusOK} {
		cfg := config(at)
		cfg.Method = method
		require.Equal(t, want, send(t, presign(t, openBucket(t, cfg), (*Bucket).Presign, photo), photoSize))
	}
}

func TestPresignRefusesQuotes(t *testing.T) {
	t.Parallel()
	b := openBucket(t, config(devtest.NewBucket(t)))
	_, err := b.PresignPost(t.Context(), Upload{Key: `k"],["starts-with","$x`, ContentType: "image/jpeg", Size: 1})
	require.ErrorContains(t, err, "presign post: a quote")
}

func TestPresignGet(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *Bucket) {
		ctx := t.Context()
		require.NoError(t, b.Put(ctx, "media/a", "text/html", strings.NewReader("tiles"), 5))
		require.NoError(t, b.Put(ctx, "media/b", "text/html", strings.NewReader("beams"), 5))
		address, err := b.PresignGet(ctx, "media/a", "image/jpeg", `attachment; filename="roof.jpg"`)
		require.NoError(t, err)
		status, headers, text := fetch(t, http.MethodGet, address, "", nil)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, "tiles", text)
		require.Equal(t, "image/jpeg", headers.Get("Content-Type"))
		require.Equal(t, `attachment; filename="roof.jpg"`, headers.Get("Content-Disposition"))

		signed, err := url.Parse(address)
		require.NoError(t, err)
		require.Equal(t, "300", signed.Query().Get("X-Amz-Expires"))
		for name, forged := range map[string]string{
			"another key":    strings.Replace(address, "media/a", "media/b", 1),
			"another type":   strings.Replace(address, "image%2Fjpeg", "text%2Fhtml", 1),
			"another way":    strings.Replace(address, "attachment", "inline", 1),
			"a longer life":  strings.Replace(address, "X-Amz-Expires=300", "X-Amz-Expires=3000", 1),
			"without a sign": signed.Scheme + "://" + signed.Host + signed.Path,
		} {
			status, _, _ := fetch(t, http.MethodGet, forged, "", nil)
			require.Equal(t, http.StatusForbidden, status, name)
		}
		for _, method := range []string{http.MethodPut, http.MethodDelete} {
			status, _, _ := fetch(t, method, address, "", nil)
			require.Equal(t, http.StatusForbidden, status, method)
		}
	})
}
