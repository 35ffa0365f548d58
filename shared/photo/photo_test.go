package photo_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/photo"
)

func inspect(file []byte) (photo.Info, error) {
	return photo.Inspect(bytes.NewReader(file), int64(len(file)))
}

const pdf = "%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"

// brands replaces those of a HEIF.
func brands(list string) []byte {
	file := heic(nil, func(data int) []byte {
		return fullBox("iloc", 1, []byte{0x44, 0, 0, 1}, extent(2, 0, data-12+len(list), len(pixels)))
	})
	return slices.Concat(isoBox("ftyp", []byte(list[:4]+"\x00\x00\x00\x00"+list[4:])), file[24:])
}

func TestInspect(t *testing.T) {
	t.Parallel()
	m := gradient(90, 60)
	e := exif(binary.BigEndian, 6)
	animation := riff("ANMF", slices.Concat(make([]byte, 16), riff("VP8L", lossless(9, 6))))
	for name, c := range map[string]struct {
		file []byte
		want photo.Info
	}{
		"jpeg":                 {encodeJPEG(t, m), photo.Info{Type: photo.JPEG, Width: 90, Height: 60}},
		"jpeg of a phone":      {plantJPEG(encodeJPEG(t, m), e), photo.Info{Type: photo.JPEG, Width: 90, Height: 60}},
		"png":                  {encodePNG(t, m), photo.Info{Type: photo.PNG, Width: 90, Height: 60}},
		"png with more":        {plantPNG(encodePNG(t, m), e), photo.Info{Type: photo.PNG, Width: 90, Height: 60}},
		"webp":                 {webpFile(riff("VP8L", lossless(90, 60))), photo.Info{Type: photo.WebP, Width: 90, Height: 60}},
		"webp with a canvas":   {plantWebP(e), photo.Info{Type: photo.WebP, Width: 90, Height: 60}},
		"webp animation":       {webpFile(riff("VP8X", canvas(hasAnimation, 90, 60)), animation), photo.Info{Type: photo.WebP, Width: 90, Height: 60}},
		"heic":                 {plantHEIC(e), photo.Info{Type: photo.HEIC, Width: 256, Height: 200}},
		"heic in second place": {brands("mif1heic"), photo.Info{Type: photo.HEIC, Width: 256, Height: 200}},
		"heix":                 {brands("heixmif1"), photo.Info{Type: photo.HEIC, Width: 256, Height: 200}},
		"hevc":                 {brands("hevcmsf1"), photo.Info{Type: photo.HEIC, Width: 256, Height: 200}},
		"heif":                 {brands("mif1mif1"), photo.Info{Type: photo.HEIF, Width: 256, Height: 200}},
		"msf1":                 {brands("msf1iso8"), photo.Info{Type: photo.HEIF, Width: 256, Height: 200}},
		"pdf":                  {[]byte(pdf), photo.Info{Type: photo.PDF}},
	} {
		info, err := inspect(c.file)
		require.NoError(t, err, name)
		require.Equal(t, c.want, info, name)
	}
}

func TestInspectRefuses(t *testing.T) {
	t.Parallel()
	jpegHeader := segment(0xE0, "JFIF\x00\x01\x02\x00\x00\x48\x00\x48\x00\x00")
	html := "<html><script>alert(1)</script></html>"
	frameHeader := func(height, width uint16) []byte {
		b := binary.BigEndian.AppendUint16([]byte{0xFF, 0xC0, 0, 11, 8}, height)
		return append(binary.BigEndian.AppendUint16(b, width), 1, 1, 0x11, 0)
	}
	pngOf := func(width, height uint32) []byte {
		size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
		return slices.Concat([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", string(size), "\x08\x02\x00\x00\x00"), chunk("IEND"))
	}
	jpegOf := func(height, width uint16) []byte {
		return slices.Concat([]byte{0xFF, 0xD8}, frameHeader(height, width), segment(0xDA, "\x01\x01\x00\x00\x3f\x00"), []byte{0, 0xFF, 0xD9})
	}
	sized := func(width, height uint32) []byte {
		size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
		return bytes.Replace(heic(nil, nil), []byte("ispe\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\xc8"), append([]byte("ispe\x00\x00\x00\x00"), size...), 1)
	}
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"nothing":                     {nil, photo.ErrType},
		"html":                        {[]byte(html), photo.ErrType},
		"html that is called jpeg":    {slices.Concat([]byte{0xFF, 0xD8, 0xFF, 0xE0}, []byte(html)), photo.ErrTruncated},
		"html in a jpeg's dress":      {slices.Concat([]byte{0xFF, 0xD8}, jpegHeader, []byte(html), []byte{0xFF, 0xD9}), photo.ErrMalformed},
		"html behind a frame":         {slices.Concat([]byte{0xFF, 0xD8}, jpegHeader, frameHeader(9, 9), []byte(html), []byte{0xFF, 0xD9}), photo.ErrMalformed},
		"jpeg without a scan":         {slices.Concat([]byte{0xFF, 0xD8}, frameHeader(9, 9), []byte{0xFF, 0xD9}), photo.ErrMalformed},
		"jpeg without a height":       {jpegOf(0, 9), photo.ErrMalformed},
		"jpeg of 65535 by 65535":      {jpegOf(65535, 65535), photo.ErrTooLarge},
		"jpeg of a long side":         {jpegOf(1, photo.MaxSide+1), photo.ErrTooLarge},
		"png of 50000 by 50000":       {pngOf(50_000, 50_000), photo.ErrTooLarge},
		"png of 2^32-1":               {pngOf(1<<32-1, 1<<32-1), photo.ErrMalformed},
		"png of 7747 by 7746":         {pngOf(7747, 7746), photo.ErrTooLarge},
		"png without a width":         {pngOf(0, 9), photo.ErrMalformed},
		"webp of 16384 by 16384":      {webpFile(riff("VP8L", lossless(16384, 16384))), photo.ErrTooLarge},
		"webp larger than its canvas": {webpFile(riff("VP8X", canvas(0, 9, 9)), riff("VP8L", lossless(5000, 5000))), photo.ErrMalformed},
		"webp of nothing":             {webpFile(riff("VP8X", canvas(0, 9, 9))), photo.ErrMalformed},
		"webp of metadata":            {webpFile(riff("VP8X", canvas(0, 9, 9)), riff("EXIF", block(1))), photo.ErrMalformed},
		"heic of 50000 by 50000":      {sized(50_000, 50_000), photo.ErrTooLarge},
		"heic of 2^32-1":              {sized(1<<32-1, 1<<32-1), photo.ErrTooLarge},
		"heic without a size":         {bytes.Replace(heic(nil, nil), []byte("ispe"), []byte("ispx"), 1), photo.ErrMalformed},
		"heic of metadata":            {bytes.Replace(heic(nil, nil), []byte("\x00\x01\x00\x00grid"), []byte("\x00\x01\x00\x00Exif"), 1), photo.ErrMalformed},
		"avif":                        {brands("avifmif1"), photo.ErrType},
		"mp4":                         {brands("isommp42"), photo.ErrType},
		"pdf without an end":          {[]byte(pdf[:len(pdf)-6]), photo.ErrTruncated},
	} {
		_, err := inspect(c.file)
		require.ErrorIs(t, err, c.want, name)
	}
}

func TestInspectTruncated(t *testing.T) {
	t.Parallel()
	m := gradient(30, 20)
	whole := map[string][]byte{
		"jpeg": encodeJPEG(t, m),
		"png":  encodePNG(t, m),
		"webp": webpFile(riff("VP8L", lossless(90, 60))),
		"heic": heic(nil, nil),
	}
	for name, file := range whole {
		_, err := inspect(file)
		require.NoError(t, err, name)
		for n := range file {
			_, err := inspect(file[:n])
			require.Error(t, err, "%s of %d bytes", name, n)
			require.Error(t, photo.Strip(io.Discard, file[:n], photo.Type("image/"+name)), "%s of %d bytes", name, n)
		}
		_, err = photo.Inspect(bytes.NewReader(file), int64(len(file)+1))
		require.Error(t, err, "%s that is shorter than the bucket said", name)
	}
}

func TestIs(t *testing.T) {
	t.Parallel()
	info, err := inspect([]byte(pdf))
	require.NoError(t, err)
	require.False(t, info.Type.Is("image/jpeg"), "a PDF that is called .jpg")
	require.True(t, photo.HEIC.Is("image/heif"))
	require.True(t, photo.HEIF.Is("image/heic"))
	require.True(t, photo.PNG.Is("image/png"))
	require.False(t, photo.PNG.Is("image/heic"))
}

// object counts what is read from it, as from a bucket.
type object struct {
	*bytes.Reader
	calls, bytes int
	err          error
}

func (o *object) ReadAt(p []byte, offset int64) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	o.calls++
	o.bytes += len(p)
	return o.Reader.ReadAt(p, offset)
}

func TestInspectReadsLittle(t *testing.T) {
	t.Parallel()
	m := gradient(1000, 800)
	noise := rand.New(rand.NewPCG(1, 2))
	for i := range m.Pix {
		m.Pix[i] ^= byte(noise.Uint32() & 63)
	}
	for name, file := range map[string][]byte{"jpeg": encodeJPEG(t, m), "png": encodePNG(t, m)} {
		require.Greater(t, len(file), 300_000, name)
		o := &object{Reader: bytes.NewReader(file)}
		_, err := photo.Inspect(o, o.Size())
		require.NoError(t, err)
		require.LessOrEqual(t, o.calls, 2, name)
		require.Less(t, o.bytes, 70_000, name)

		trailed := &object{Reader: bytes.NewReader(append(file, place...))}
		info, err := photo.Inspect(trailed, trailed.Size())
		require.NoError(t, err)
		require.Equal(t, 1000, info.Width)
		require.Less(t, trailed.bytes, 2*len(file), name)
	}
}

func TestInspectReaderFails(t *testing.T) {
	t.Parallel()
	gone := errors.New("bucket is down")
	_, err := photo.Inspect(&object{Reader: bytes.NewReader(nil), err: gone}, 1000)
	require.ErrorIs(t, err, gone)
	for _, other := range []error{photo.ErrType, photo.ErrTruncated, photo.ErrMalformed} {
		require.NotErrorIs(t, err, other)
	}
}
