package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/pg"
)

func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }

// A bundle is the function beside the one whose events it gets, with a bucket that both use.
type bundle struct {
	*functiontest.Server // the function uploads

	at     *devtest.Bucket
	bucket *bucket.Bucket // to arrange and to look
	url    string
	home   int64
}

// A hop is on the function's way to its bucket. It returns whether it has answered a request itself.
type hop func(b *bundle, w http.ResponseWriter, r *http.Request) bool

// setup opens the function.
func setup(t *testing.T, at *devtest.Bucket, between ...hop) *bundle {
	t.Helper()
	none := func(*function.Base) func(huma.API) { return func(huma.API) {} }
	b := &bundle{Server: functiontest.Start(t, "uploads", none), at: at, bucket: functiontest.OpenBucket(t, at, bucket.Post)}
	b.home = b.Home(t, b.Person(t, "Anna"))
	b.url = b.start(t, between...)
	return b
}

// start starts the function once more, as another process would be, and returns its address.
func (b *bundle) start(t *testing.T, between ...hop) string {
	t.Helper()
	var mode pg.ExecMode
	require.NoError(t, mode.Decode(b.DB.ExecMode()))
	db, err := pg.Open(t.Context(), pg.Config{URL: b.DB.URL("honeydue_media"), ExecMode: mode, PoolSize: 2})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	at := *b.at
	for _, answered := range between {
		at.Endpoint = newProxy(t, b.at, func(w http.ResponseWriter, r *http.Request) bool { return answered(b, w, r) })
	}
	s := newService(db, functiontest.OpenBucket(t, &at, bucket.Post), slog.New(slog.DiscardHandler))
	s.transfer = 3 * time.Second
	server := httptest.NewServer(s.handler())
	t.Cleanup(server.Close)
	return server.URL
}

// newProxy returns the address of a proxy before a bucket, which hands on what answered does not say it has answered.
func newProxy(t *testing.T, at *devtest.Bucket, answered func(w http.ResponseWriter, r *http.Request) bool) string {
	t.Helper()
	proxy := httptest.NewServer(devtest.Before(t, at, answered))
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// A sent is a photo that was attached, and its event.
type sent struct {
	id    int64
	key   string
	event uuid.UUID
}

// attach attaches a photo to the home. Without content, its object is lost.
func (b *bundle) attach(t *testing.T, contentType string, content []byte) sent {
	t.Helper()
	at := sent{key: "media/" + uuid.NewString()}
	if content != nil {
		b.put(t, at, contentType, content)
	}
	at.id = functiontest.Value[int64](t, b.Server, `
		INSERT INTO upload_media (id, residence_id, content_type, object_key, state)
		SELECT coalesce(max(id), 0) + 1, $1, $2, $3, 'cleaning' FROM upload_media RETURNING id`, b.home, contentType, at.key)
	at.event = b.tell(t, at.id)
	return at
}

// put stores the original of a photo.
func (b *bundle) put(t *testing.T, s sent, contentType string, content []byte) {
	t.Helper()
	require.NoError(t, b.bucket.Put(t.Context(), s.key+partOriginal, contentType, bytes.NewReader(content), int64(len(content))))
}

// tell tells that a photo was attached, and returns the event's id. Its publishing finds no broker.
func (b *bundle) tell(t *testing.T, upload int64) uuid.UUID {
	t.Helper()
	err := pg.InTx(t.Context(), b.Base.DB, func(tx *pg.Tx) error {
		return b.Base.Outbox.Append(t.Context(), tx, events.UploadAttached{UploadID: upload, ResidenceID: b.home})
	})
	require.NoError(t, err)
	return functiontest.Value[uuid.UUID](t, b.Server, `SELECT id FROM outbox_event ORDER BY id DESC LIMIT 1`)
}

// deliver posts an event as a broker does and returns the answer's status.
func (b *bundle) deliver(t *testing.T, event uuid.UUID) int {
	t.Helper()
	status, err := post(b.url, event)
	require.NoError(t, err)
	return status
}

func post(url string, event uuid.UUID) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Ce-Id", event.String())
	req.Header.Set("Ce-Type", "anything")
	res, err := devtest.Client.Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

// row returns the state of a photo's row, why it failed and whether it has a thumbnail.
func (b *bundle) row(t *testing.T, s sent) string {
	t.Helper()
	return functiontest.Value[string](t, b.Server, `
		SELECT concat_ws(' ', state, reason, CASE WHEN has_thumbnail THEN 'with thumbnail' END) FROM upload_media WHERE id = $1`, s.id)
}

// delivery returns the state of an event's delivery, how often it was tried, and why it is dead.
func (b *bundle) delivery(t *testing.T, event uuid.UUID) string {
	t.Helper()
	return functiontest.Value[string](t, b.Server, `
		SELECT concat_ws(' ', state, attempts, reason) FROM outbox_delivery WHERE event_id = $1 AND consumer = 'media'`, event)
}

// buried returns what is left of the keys of a photo's objects that are to go.
func (b *bundle) buried(t *testing.T, s sent) []string {
	t.Helper()
	return functiontest.Value[[]string](t, b.Server, `
		SELECT coalesce(array_agg(replace(object_key, $1, '') ORDER BY object_key), '{}')
		FROM upload_tombstone WHERE starts_with(object_key, $1)`, s.key)
}

// objects returns what is left of the keys that begin with that of a photo.
func (b *bundle) objects(t *testing.T, s sent) []string {
	t.Helper()
	found, err := b.bucket.List(t.Context(), s.key, "", 10)
	require.NoError(t, err)
	var parts []string
	for _, o := range found {
		parts = append(parts, strings.TrimPrefix(o.Key, s.key))
	}
	return parts
}

// read returns an object and its content type.
func (b *bundle) read(t *testing.T, key string) ([]byte, string) {
	t.Helper()
	content, object, err := b.bucket.Get(t.Context(), key)
	require.NoError(t, err)
	body, err := io.ReadAll(content)
	require.NoError(t, err)
	require.NoError(t, content.Close())
	return body, object.ContentType
}
