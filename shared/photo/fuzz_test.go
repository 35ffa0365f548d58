package photo_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/photo"
)

func seed(f *testing.F) {
	f.Helper()
	m := gradient(30, 20)
	e := exif(binary.LittleEndian, 6)
	frame := riff("ANMF", append(make([]byte, 16), riff("VP8L", lossless(9, 6))...))
	for _, file := range [][]byte{
		encodeJPEG(f, m), plantJPEG(encodeJPEG(f, m), e), encodePNG(f, m), plantPNG(encodePNG(f, m), e), plantWebP(e),
		webpFile(riff("VP8X", canvas(hasAnimation, 90, 60)), frame), plantHEIC(e), []byte(pdf),
	} {
		f.Add(file)
	}
	for _, name := range []string{"planted.heic", "planted.webp"} {
		file, err := os.ReadFile("testdata/" + name)
		require.NoError(f, err)
		f.Add(file)
	}
}

func FuzzInspect(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		info, err := inspect(file)
		if err != nil || info.Type == photo.PDF {
			return
		}
		require.Positive(t, info.Width)
		require.Positive(t, info.Height)
		require.LessOrEqual(t, info.Width*info.Height, photo.MaxPixels)
		again, err := photo.Inspect(&object{Reader: bytes.NewReader(file)}, int64(len(file)))
		require.NoError(t, err)
		require.Equal(t, info, again)
	})
}

// What was stripped is a file of the same type and size, not larger but by its orientation, and has nothing more to strip.
func FuzzStrip(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, kind := range []photo.Type{photo.JPEG, photo.PNG, photo.WebP, photo.HEIC} {
			var once, twice bytes.Buffer
			if photo.Strip(&once, file, kind) != nil {
				continue
			}
			require.LessOrEqual(t, once.Len(), len(file)+40)
			before, err := inspect(file)
			require.NoError(t, err)
			after, err := inspect(once.Bytes())
			require.NoError(t, err)
			require.Equal(t, before, after)
			require.NoError(t, photo.Strip(&twice, once.Bytes(), kind))
			require.Equal(t, once.Bytes(), twice.Bytes())
		}
	})
}

func FuzzThumbnail(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		info, err := inspect(file)
		if err != nil || info.Width*info.Height > 1<<20 {
			return
		}
		small, err := photo.Thumbnail(file, info.Type, 16)
		if err != nil {
			return
		}
		made, err := inspect(small)
		require.NoError(t, err)
		require.Equal(t, photo.JPEG, made.Type)
		require.LessOrEqual(t, max(made.Width, made.Height), 16)
	})
}
