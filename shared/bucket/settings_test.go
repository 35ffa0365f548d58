package bucket

import (
	"testing"

	"github.com/minio/minio-go/v7/pkg/cors"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
)

// The server of these tests has no lifecycle rules; the program functions/bucket tries them on one that stands in for it.
func TestCORS(t *testing.T) {
	t.Parallel()
	b := openBucket(t, config(devtest.NewBucket(t)))
	rules, err := b.CORS(t.Context())
	require.NoError(t, err)
	require.Empty(t, rules)
	want := []cors.Rule{
		{ID: "a", AllowedOrigin: []string{"https://example.com"}, AllowedMethod: []string{"GET", "PUT"}, AllowedHeader: []string{"content-type"}, MaxAgeSeconds: 60},
		{AllowedOrigin: []string{"https://*.example.com"}, AllowedMethod: []string{"HEAD"}, ExposeHeader: []string{"etag"}},
	}
	require.NoError(t, b.SetCORS(t.Context(), want))
	rules, err = b.CORS(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, rules)
}

func TestLifecycleThatTheServerLacks(t *testing.T) {
	t.Parallel()
	_, err := openBucket(t, config(devtest.NewBucket(t))).Lifecycle(t.Context())
	require.EqualError(t, err, "read lifecycle: bucket refused: NotImplemented, status 501")
	require.False(t, Unavailable(err))
}
