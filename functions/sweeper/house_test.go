package main

import (
	"crypto/rand"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// A house is a home with a bucket, and the sweeper of both.
type house struct {
	*bundle
	at     *devtest.Bucket
	client *minio.Client
	owner  functiontest.Person
	home   int64
}

func setupHouse(t *testing.T, at *devtest.Bucket) *house {
	t.Helper()
	h := &house{bundle: setup(t), at: at}
	endpoint, err := url.Parse(at.Endpoint)
	require.NoError(t, err)
	h.client, err = minio.New(endpoint.Host, &minio.Options{
		Creds: credentials.NewStaticV4(at.AccessKey, at.SecretKey, ""), Region: at.Region, BucketLookup: minio.BucketLookupPath,
	})
	require.NoError(t, err)
	h.service = h.sweeper(t)
	server := httptest.NewServer(h.service.handler())
	t.Cleanup(server.Close)
	h.url = server.URL
	h.owner = h.Person(t, "ann")
	h.home = h.Home(t, h.owner)
	return h
}

// sweeper returns one more that works on the same house.
func (h *house) sweeper(t *testing.T) *service {
	t.Helper()
	store, err := bucket.Open(bucket.Config{
		Endpoint: h.at.Endpoint, Region: h.at.Region, Name: h.at.Name, AccessKey: h.at.AccessKey, SecretKey: h.at.SecretKey,
		Timeout: 20 * time.Second, // a busy machine keeps it
	})
	require.NoError(t, err)
	t.Cleanup(store.Close)
	return newService(h.open(t, "honeydue_sweeper"), store, h.brokerURL, slog.New(slog.DiscardHandler))
}

// onEach runs a test on a bucket as S3 has it, and on one as Backblaze B2 has it.
func onEach(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	t.Run("S3", func(t *testing.T) {
		t.Parallel()
		test(t, setupHouse(t, devtest.NewBucket(t)))
	})
	t.Run("B2", func(t *testing.T) {
		t.Parallel()
		test(t, setupHouse(t, devtest.BehaveLikeB2(t, devtest.NewBucket(t))))
	})
}

// put stores an object, a further version of it where it is there already.
func (h *house) put(t *testing.T, keys ...string) {
	t.Helper()
	var group errgroup.Group
	group.SetLimit(8)
	for _, key := range keys {
		group.Go(func() error {
			_, err := h.client.PutObject(t.Context(), h.at.Name, key, strings.NewReader("tiles"), 5, minio.PutObjectOptions{DisableMultipart: true})
			return err
		})
	}
	require.NoError(t, group.Wait())
}

// hide deletes an object as a plain delete does where versions are kept.
func (h *house) hide(t *testing.T, key string) {
	t.Helper()
	require.NoError(t, h.client.RemoveObject(t.Context(), h.at.Name, key, minio.RemoveObjectOptions{}))
}

// stored returns the keys of all versions and marks.
func (h *house) stored(t *testing.T) []string {
	t.Helper()
	keys := []string{}
	for info := range h.client.ListObjectsIter(t.Context(), h.at.Name, minio.ListObjectsOptions{WithVersions: true, Recursive: true}) {
		require.NoError(t, info.Err)
		keys = append(keys, info.Key)
	}
	return keys
}

// sent makes the rows of uploads whose time was over so long ago, with their objects, and returns their keys.
func (h *house) sent(t *testing.T, count int, ago time.Duration) []string {
	t.Helper()
	keys := make([]string, count)
	for i := range keys {
		keys[i] = "uploads/" + rand.Text()
	}
	h.Exec(t, `
		INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, created_at, expires_at)
		SELECT $1, 'completion_image', 'image/jpeg', 5, 256, key, now() - make_interval(secs => $3 + 900), now() - make_interval(secs => $3)
		FROM unnest($2::text[]) key`, h.owner.ID, keys, ago.Seconds())
	h.put(t, keys...)
	return keys
}

// attached makes a photo of the home, a completion or a document that is ready, and returns the keys of its objects.
func (h *house) attached(t *testing.T, completion, document *int64) []string {
	t.Helper()
	key := rand.Text()
	h.Exec(t, `
		WITH sent AS (
			INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, state, expires_at)
			VALUES ($1, 'residence_image', 'image/jpeg', 5, 256, 'uploads/' || $3::text, 'attached', now()) RETURNING id
		)
		INSERT INTO upload_media (id, residence_id, completion_id, document_id, content_type, object_key, state)
		SELECT id, $2, $4, $5, 'image/jpeg', 'media/' || $3::text, 'ready' FROM sent`, h.owner.ID, h.home, key, completion, document)
	objects := []string{"media/" + key + "/clean", "media/" + key + "/thumb"}
	h.put(t, objects...)
	return objects
}

// state returns what a row says of an upload, and "" when there is none.
func (h *house) state(t *testing.T, key string) string {
	t.Helper()
	return functiontest.Value[string](t, h.Server, `SELECT coalesce((SELECT state FROM pending_uploads WHERE object_key = $1), '')`, key)
}

func (h *house) tombstones(t *testing.T) int {
	t.Helper()
	return functiontest.Value[int](t, h.Server, `SELECT count(*) FROM upload_tombstone`)
}

// bury makes every tombstone due.
func (h *house) bury(t *testing.T) {
	t.Helper()
	h.Exec(t, `UPDATE upload_tombstone SET due_at = now() - interval '1 second'`)
}
