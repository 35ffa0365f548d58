package functiontest

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/devserver/devtest"
)

// OpenBucket returns a client of a test's bucket, which signs forms of that method.
func OpenBucket(t testing.TB, at *devtest.Bucket, method bucket.Method) *bucket.Bucket {
	t.Helper()
	b, err := bucket.Open(bucket.Config{
		Endpoint: at.Endpoint, Region: at.Region, Name: at.Name, AccessKey: at.AccessKey, SecretKey: at.SecretKey, Method: method,
		Timeout: 20 * time.Second, // a busy machine keeps it
	})
	require.NoError(t, err)
	t.Cleanup(b.Close)
	return b
}

// JPEG returns a small picture.
func JPEG(t testing.TB) []byte {
	t.Helper()
	var file bytes.Buffer
	require.NoError(t, jpeg.Encode(&file, image.NewRGBA(image.Rect(0, 0, 64, 48)), nil))
	return file.Bytes()
}

// Sent returns the id of an upload of person's that waits to be attached: a small JPEG, sent for that category.
func (s *Server) Sent(t testing.TB, b *bucket.Bucket, person Person, category string) int64 {
	t.Helper()
	content := JPEG(t)
	var sent struct {
		ID  int64
		Key string
	}
	require.NoError(t, s.Owner.QueryRow(t.Context(), `
		INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, expires_at)
		VALUES ($1, $2, 'image/jpeg', $3, 0, 'uploads/' || gen_random_uuid(), now() + interval '10 minutes') RETURNING id, object_key`,
		person.ID, category, len(content)).Scan(&sent.ID, &sent.Key))
	require.NoError(t, b.Put(t.Context(), sent.Key, "image/jpeg", bytes.NewReader(content), int64(len(content))))
	return sent.ID
}
