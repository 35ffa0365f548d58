package devtest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/require"
)

func open(t *testing.T, b *Bucket, o minio.Options) *minio.Client {
	t.Helper()
	o.Creds, o.Region, o.MaxRetries = credentials.NewStaticV4(b.AccessKey, b.SecretKey, ""), b.Region, 1
	client, err := minio.New(strings.TrimPrefix(b.Endpoint, "http://"), &o)
	require.NoError(t, err)
	return client
}

func put(t *testing.T, client *minio.Client, b *Bucket, key, text string) error {
	t.Helper()
	_, err := client.PutObject(t.Context(), b.Name, key, strings.NewReader(text), int64(len(text)), minio.PutObjectOptions{})
	return err
}

func TestNewBucketGivesEachTestItsOwn(t *testing.T) {
	t.Parallel()
	for range 8 {
		t.Run("alone", func(t *testing.T) {
			t.Parallel()
			b := NewBucket(t)
			client := open(t, b, minio.Options{})
			for object := range client.ListObjectsIter(t.Context(), b.Name, minio.ListObjectsOptions{}) {
				require.Fail(t, "not empty", "%v", object)
			}
			require.NoError(t, put(t, client, b, "roof.jpg", "tiles"))
			versioning, err := client.GetBucketVersioning(t.Context(), b.Name)
			require.NoError(t, err)
			require.True(t, versioning.Enabled())
		})
	}
}

func TestNewBucketOnIsTheTestsAlone(t *testing.T) {
	t.Parallel()
	others := NewBucket(t)
	server := StartS3(t)
	b := NewBucketOn(t, server)
	require.NoError(t, server.Stop(t.Context()))
	require.Error(t, put(t, open(t, b, minio.Options{}), b, "a", "text"))
	require.NoError(t, put(t, open(t, others, minio.Options{}), others, "a", "text"))
	require.NoError(t, server.Start(t.Context()))
	require.NoError(t, put(t, open(t, b, minio.Options{}), b, "a", "text"))
}

func TestBehaveLikeB2(t *testing.T) {
	t.Parallel()
	b := NewBucket(t)
	like := BehaveLikeB2(t, b)
	require.NoError(t, put(t, open(t, like, minio.Options{}), like, "a", "text"))

	// A client that adds a checksum, in a trailer.
	with := minio.Options{TrailingHeaders: true}
	require.NoError(t, put(t, open(t, b, with), b, "a", "text"))
	err := put(t, open(t, like, with), like, "a", "text")
	require.Equal(t, http.StatusBadRequest, minio.ToErrorResponse(err).StatusCode)

	// The real one refuses a form without a policy in words of its own.
	for endpoint, missing := range map[string]bool{b.Endpoint: false, like.Endpoint: true} {
		form := "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\na\r\n--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\ntext\r\n--b--\r\n"
		answer, err := Client.Post(endpoint+"/"+b.Name, "multipart/form-data; boundary=b", strings.NewReader(form))
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.GreaterOrEqual(t, answer.StatusCode, http.StatusBadRequest)
		require.Equal(t, missing, answer.StatusCode == http.StatusNotImplemented)
	}
}
