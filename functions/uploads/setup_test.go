package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/problem"
)

func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }

// noon is when every test happens as far as dates go; uploads go by the database's clock.
var noon = time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC)

// A bundle is a home of ann's, where bob works and vera looks; sam is a stranger with a home of his own.
type bundle struct {
	*functiontest.Server
	store               *bucket.Bucket
	ann, bob, vera, sam functiontest.Person
	home, samsHome      int64
}

func setup(t testing.TB) *bundle {
	t.Helper()
	return setupWith(t, bucket.Post)
}

func setupWith(t testing.TB, method bucket.Method) *bundle {
	t.Helper()
	store := functiontest.OpenBucket(t, devtest.NewBucket(t), method)
	return people(t, functiontest.Start(t, name, handlers(store)), store)
}

// handlers are the function's, on a clock that stands still.
func handlers(store *bucket.Bucket) func(*function.Base) func(huma.API) {
	return func(base *function.Base) func(huma.API) {
		base.Now = func() time.Time { return noon }
		return newService(base, store).routes
	}
}

func people(t testing.TB, s *functiontest.Server, store *bucket.Bucket) *bundle {
	t.Helper()
	b := &bundle{Server: s, store: store, ann: s.Person(t, "ann"), bob: s.Person(t, "bob"), vera: s.Person(t, "vera"), sam: s.Person(t, "sam")}
	b.home, b.samsHome = s.Home(t, b.ann), s.Home(t, b.sam)
	s.Join(t, b.home, b.bob, home.Member)
	s.Join(t, b.home, b.vera, home.Viewer)
	return b
}

type object map[string]any

const (
	presignPath   = "/api/uploads/presign/"
	documentsPath = "/api/documents/"
)

func uploadPath(id int64) string   { return fmt.Sprintf("/api/uploads/%d/", id) }
func mediaPath(id int64) string    { return fmt.Sprintf("/api/media/%d/", id) }
func documentPath(id int64) string { return fmt.Sprintf("%s%d/", documentsPath, id) }

// presign asks for an address for so many bytes.
func (b *bundle) presign(t testing.TB, by functiontest.Person, category, contentType string, size int) Address {
	t.Helper()
	body := object{"category": category, "content_type": contentType, "content_length": size, "filename": "Öl heater.x"}
	return functiontest.Read[Address](t, b.Call(t, http.MethodPost, presignPath, by.Token, body), 201)
}

// upload sends content as a phone does and returns the upload's id.
func (b *bundle) upload(t testing.TB, by functiontest.Person, category, contentType string, content []byte) int64 {
	t.Helper()
	a := b.presign(t, by, category, contentType, len(content))
	require.Less(t, send(t, a, content), 300)
	return a.UploadID
}

// send does with an address what its description says and returns the bucket's status.
func send(t testing.TB, a Address, content []byte) int {
	t.Helper()
	body, contentType := io.Reader(bytes.NewReader(content)), a.Headers["Content-Type"]
	if a.Method == http.MethodPost {
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		for field, value := range a.Fields {
			require.NoError(t, w.WriteField(field, value))
		}
		file, err := w.CreateFormFile("file", "photo.jpg")
		require.NoError(t, err)
		_, err = file.Write(content)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		body, contentType = &form, w.FormDataContentType()
	}
	request, err := http.NewRequestWithContext(t.Context(), a.Method, a.URL, body)
	require.NoError(t, err)
	request.Header.Set("Content-Type", contentType)
	status, _, _ := do(t, request)
	return status
}

// fetch gets an address without a token.
func fetch(t testing.TB, address string) (status int, header http.Header, content string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	require.NoError(t, err)
	return do(t, request)
}

// do sends a request and follows nothing.
func do(t testing.TB, request *http.Request) (status int, header http.Header, content string) {
	t.Helper()
	answer, err := devtest.OneHop.Do(request)
	require.NoError(t, err)
	defer func() { require.NoError(t, answer.Body.Close()) }()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, answer.Header, string(text)
}

// photo is a picture that any reader opens.
func photo(t testing.TB) []byte {
	t.Helper()
	var to bytes.Buffer
	require.NoError(t, jpeg.Encode(&to, image.NewRGBA(image.Rect(0, 0, 16, 8)), nil))
	return to.Bytes()
}

// paper is a PDF.
func paper() []byte {
	return []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n" +
		"trailer<</Root 1 0 R>>\n%%EOF\n")
}

// put stores an object by the bucket's own hand.
func (b *bundle) put(t testing.TB, key, contentType, content string) {
	t.Helper()
	require.NoError(t, b.store.Put(t.Context(), key, contentType, strings.NewReader(content), int64(len(content))))
}

// locations returns what a 422 names.
func locations(t testing.TB, r functiontest.Response) []string {
	t.Helper()
	functiontest.Refused(t, r, 422)
	var named []string
	for _, e := range functiontest.Read[problem.Problem](t, r, 422).Errors {
		named = append(named, e.Location)
	}
	return named
}

// snapshot is everything that a refused call must leave as it was.
func (b *bundle) snapshot(t testing.TB) string {
	t.Helper()
	return functiontest.Value[string](t, b.Server, `
		SELECT concat((SELECT json_agg(p ORDER BY p.id) FROM pending_uploads p), (SELECT json_agg(f ORDER BY f.id) FROM upload_media f),
			(SELECT json_agg(d ORDER BY d.id) FROM upload_document d), (SELECT count(*) FROM outbox_event), (SELECT count(*) FROM shared_idempotency))`)
}

// signIn gives a person another token.
func (b *bundle) signIn(t testing.TB, person int64) string {
	t.Helper()
	token := "hd_" + strings.ToLower(rand.Text())
	b.Exec(t, `INSERT INTO auth_session (user_id, token_hash, expires_at) VALUES ($1, $2, now() + interval '90 days')`, person, authn.Hash(token))
	return token
}
