package encoding_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/encoding"
)

func TestTakesGzip(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"gzip": true, "br, gzip;q=0.8": true, "deflate,gzip": true, "GZIP ; q=1": true, "gzip;Q=0.001": true,
		"": false, "br": false, "identity": false, "*": false, "x-gzipped": false,
		"gzip;q=0": false, "gzip; q=0.0": false, "gzip ; Q = 0.000": false, "br, gzip;q=0": false,
	} {
		require.Equal(t, want, encoding.TakesGzip(accept), accept)
	}
}
