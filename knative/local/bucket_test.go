package local

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/shared/devserver/devtest"
)

type bucketBundle struct {
	s3  *devserver.S3
	own *minio.Client
	url string
}

func setupBucket(t *testing.T) bucketBundle {
	t.Helper()
	dir, err := os.MkdirTemp("", "honeydue-bucket") //nolint:usetesting // the server runs as a user who cannot look into t.TempDir
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	s3, err := devserver.StartS3(t.Context(), devserver.Options{Dir: dir})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s3.Stop(context.WithoutCancel(t.Context()))) })
	require.NoError(t, s3.CreateBucket(t.Context(), bucket))
	view, err := newBucketView(s3)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, view.close(context.WithoutCancel(t.Context()))) })
	server := httptest.NewServer((&System{objects: view}).pages())
	t.Cleanup(server.Close)
	return bucketBundle{s3, view.client, server.URL}
}

func (b bucketBundle) put(t *testing.T, key, contentType, text string) {
	t.Helper()
	_, err := b.own.PutObject(t.Context(), bucket, key, strings.NewReader(text), int64(len(text)),
		minio.PutObjectOptions{ContentType: contentType})
	require.NoError(t, err)
}

func (b bucketBundle) get(t *testing.T, path, etag string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+path, http.NoBody)
	require.NoError(t, err)
	req.Header.Set("If-None-Match", etag)
	res, err := devtest.Client.Do(req)
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"))
	return res, string(body)
}

func (b bucketBundle) list(t *testing.T) []objectDetail {
	t.Helper()
	res, body := b.get(t, "/_local/bucket", "")
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	var answer struct{ Results []objectDetail }
	require.NoError(t, json.Unmarshal([]byte(body), &answer))
	require.NotNil(t, answer.Results)
	return answer.Results
}

func TestBucketIsListed(t *testing.T) {
	t.Parallel()
	b := setupBucket(t)
	require.Empty(t, b.list(t))
	for i := range maxObjects {
		b.put(t, fmt.Sprintf("uploads/%d", i), "application/pdf", "%PDF-1.7")
	}
	b.put(t, "media/a/original", "image/jpeg", "a photo")
	found := b.list(t)
	require.Len(t, found, maxObjects)
	require.True(t, slices.IsSortedFunc(found, func(a, b objectDetail) int { return b.ModifiedAt.Compare(a.ModifiedAt) }))
	require.WithinDuration(t, time.Now(), found[0].ModifiedAt, time.Minute)
	require.Equal(t, objectDetail{
		"media/a/original", 7, "image/jpeg", found[0].ModifiedAt, "/_local/bucket/media/a/original",
	}, found[0])

	b.put(t, "media/a/original", "image/png", "another photo")
	require.Equal(t, "image/png", b.list(t)[0].ContentType, "sent again as something else")
	require.NoError(t, b.own.RemoveObject(t.Context(), bucket, "media/a/original", minio.RemoveObjectOptions{}))
	require.NotContains(t, b.list(t)[0].Key, "media/", "its versions are not shown")
}

func TestBucketShowsPictures(t *testing.T) {
	t.Parallel()
	b := setupBucket(t)
	const odd = `media/a b/ü%2F?x=1#y"<i>&amp;'`
	b.put(t, odd, "image/webp", "a picture")
	for _, kind := range []string{"jpeg", "png", "heic", "heif", "webp"} {
		b.put(t, "media/"+kind+"/thumb", "image/"+kind, "<script>not one</script>")
	}
	for _, o := range b.list(t) {
		require.NotContains(t, strings.TrimPrefix(o.URL, objectPath), " ")
		res, body := b.get(t, o.URL, "")
		require.Equal(t, http.StatusOK, res.StatusCode, o.Key)
		require.Equal(t, o.ContentType, res.Header.Get("Content-Type"))
		require.Len(t, body, int(o.Size))
		require.Empty(t, res.Header.Get("Content-Disposition"))
		require.Equal(t, "same-origin", res.Header.Get("Cross-Origin-Resource-Policy"))
		res, body = b.get(t, o.URL, res.Header.Get("ETag"))
		require.Equal(t, http.StatusNotModified, res.StatusCode, "a page that is drawn again asks whether it is the same")
		require.Empty(t, body)
	}
	for _, path := range []string{"", "media", "media/none", "%2e%2e/secret", "media/jpeg/"} {
		res, body := b.get(t, objectPath+path, "")
		require.Equal(t, http.StatusNotFound, res.StatusCode, "%q: %s", path, body)
		require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
	}
}

// Whoever can send a file to the bucket must not get a page onto this host, where mails can be read.
func TestBucketShowsNothingElse(t *testing.T) {
	t.Parallel()
	b := setupBucket(t)
	for i, contentType := range []string{
		"text/html", "image/svg+xml", "application/pdf", "image/jpeg; charset=utf-7", "IMAGE/JPEG", "image/gif", "text/javascript", "x",
	} {
		key := fmt.Sprintf("uploads/%d.html", i)
		b.put(t, key, contentType, "<html><script>alert(1)</script></html>")
		res, _ := b.get(t, objectPath+key, "")
		require.Equal(t, http.StatusOK, res.StatusCode, contentType)
		require.Equal(t, "application/octet-stream", res.Header.Get("Content-Type"), contentType)
		require.Equal(t, "attachment", res.Header.Get("Content-Disposition"), contentType)
		require.Equal(t, "default-src 'none'; sandbox", res.Header.Get("Content-Security-Policy"))
	}
}

func TestBucketIsAway(t *testing.T) {
	t.Parallel()
	b := setupBucket(t)
	b.put(t, "media/a/thumb", "image/jpeg", "a photo")
	require.NoError(t, b.s3.Stop(t.Context()))
	for _, path := range []string{"/_local/bucket", objectPath + "media/a/thumb"} {
		res, body := b.get(t, path, "")
		require.Equal(t, http.StatusBadGateway, res.StatusCode)
		require.Contains(t, body, "The bucket does not answer.")
	}
	require.NoError(t, b.s3.Start(t.Context()))
	require.Len(t, b.list(t), 1)
}
