package photo_test

import (
	"bytes"
	"image"
	"image/color"
	"image/color/palette"
	"image/jpeg"
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/photo"
)

// far is a picture that is computed where it is looked at, from its palette, and takes no memory.
type far struct {
	width, height int
	palette       color.Palette
}

func (f far) ColorModel() color.Model { return f.palette }
func (f far) Bounds() image.Rectangle { return image.Rect(0, 0, f.width, f.height) }
func (f far) At(x, y int) color.Color { return f.palette[(x+y)>>6%len(f.palette)] }

// A thumbnail of the largest photo allocates less than 100 MiB in all, whatever the garbage collector does.
func BenchmarkThumbnail(b *testing.B) {
	var file bytes.Buffer
	require.NoError(b, jpeg.Encode(&file, far{8940, 6710, palette.Plan9}, nil)) // 60 megapixels
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.ReportAllocs()
	for b.Loop() {
		_, err := photo.Thumbnail(file.Bytes(), photo.JPEG, 512)
		require.NoError(b, err)
	}
	runtime.ReadMemStats(&after)
	each := (after.TotalAlloc - before.TotalAlloc) / uint64(b.N)
	require.Less(b, each, uint64(100<<20))
}

func BenchmarkStrip(b *testing.B) {
	file := plantJPEG(encodeJPEG(b, gradient(2000, 1500)), nil)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, photo.Strip(io.Discard, file, photo.JPEG))
	}
}
