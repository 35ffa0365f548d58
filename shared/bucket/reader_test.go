package bucket

import (
	"bytes"
	"io"
	mathrand "math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRead(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *Bucket) {
		ctx := t.Context()
		_, err := b.Read(ctx, "a", 10)
		require.ErrorIs(t, err, ErrNotFound)

		content := make([]byte, 5<<20)
		_, _ = mathrand.NewChaCha8([32]byte{7}).Read(content)
		require.NoError(t, b.Put(ctx, "a", "image/png", bytes.NewReader(content), int64(len(content))))
		r, err := b.Read(ctx, "a", 1000)
		require.NoError(t, err)
		require.Equal(t, "image/png", r.ContentType)
		require.EqualValues(t, len(content), r.Size)

		whole, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size))
		require.NoError(t, err)
		require.True(t, bytes.Equal(content, whole))
		for range 50 {
			from := mathrand.IntN(len(content))
			part := make([]byte, mathrand.IntN(200_000))
			n, err := r.ReadAt(part, int64(from))
			require.Equal(t, min(len(part), len(content)-from), n)
			require.True(t, bytes.Equal(content[from:from+n], part[:n]), "from %d", from)
			if n < len(part) {
				require.ErrorIs(t, err, io.EOF)
			} else {
				require.NoError(t, err)
			}
		}
		n, err := r.ReadAt(make([]byte, 1), r.Size)
		require.Zero(t, n)
		require.ErrorIs(t, err, io.EOF)
	})
}
