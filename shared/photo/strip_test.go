package photo_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/image/webp"

	"github.com/honeydue/backend/shared/photo"
)

var orders = []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian}

func strip(t *testing.T, file []byte, kind photo.Type) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, photo.Strip(&out, file, kind))
	return out.Bytes()
}

func TestStrip(t *testing.T) {
	t.Parallel()
	profile := string(icc("RGB "))
	m := gradient(90, 60)
	for name, c := range map[string]struct {
		kind    photo.Type
		plant   func(exif []byte) []byte
		decode  func(io.Reader) (image.Image, error)
		profile string
		block   string // what precedes the orientation
	}{
		"jpeg": {photo.JPEG, func(e []byte) []byte { return plantJPEG(encodeJPEG(t, m), e) }, jpeg.Decode, profile, "\xff\xe1\x00\x22Exif\x00\x00"},
		"png":  {photo.PNG, func(e []byte) []byte { return plantPNG(encodePNG(t, m), e) }, png.Decode, deflate(icc("RGB ")), "\x00\x00\x00\x1aeXIf"},
		"webp": {photo.WebP, plantWebP, webp.Decode, profile, "EXIF\x1a\x00\x00\x00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, order := range orders {
				for turned := range byte(9) {
					file := c.plant(exif(order, uint16(turned)))
					requirePlanted(t, file)
					clean := strip(t, file, c.kind)
					requireClean(t, clean)

					before, err := c.decode(bytes.NewReader(file))
					require.NoError(t, err)
					after, err := c.decode(bytes.NewReader(clean))
					require.NoError(t, err)
					require.Equal(t, before, after)
					require.Contains(t, string(clean), c.profile)
					if turned > 1 {
						require.Equal(t, 1, bytes.Count(clean, append([]byte(c.block), block(turned)...)))
						require.Equal(t, 1, bytes.Count(clean, []byte("MM\x00*")))
					} else {
						require.NotContains(t, string(clean), "MM\x00*")
					}
					info, err := photo.Inspect(bytes.NewReader(clean), int64(len(clean)))
					require.NoError(t, err)
					require.Equal(t, photo.Info{Type: c.kind, Width: 90, Height: 60}, info)
					require.Equal(t, clean, strip(t, clean, c.kind), "stripping twice changes nothing")
				}
			}
		})
	}
}

func TestStripPlain(t *testing.T) {
	t.Parallel()
	m := gradient(90, 60)
	require.Equal(t, encodeJPEG(t, m), strip(t, encodeJPEG(t, m), photo.JPEG))
	require.Equal(t, encodePNG(t, m), strip(t, encodePNG(t, m), photo.PNG))
	plain := webpFile(riff("VP8L", lossless(90, 60)))
	require.Equal(t, plain, strip(t, plain, photo.WebP))
	require.Equal(t, plain, strip(t, webpFile(riff("VP8L", lossless(90, 60)), riff("EXIF", exif(binary.BigEndian, 6))), photo.WebP),
		"no reader looks for EXIF where there is no canvas")
}

func TestStripAnimations(t *testing.T) {
	t.Parallel()
	place16 := make([]byte, 16)
	frame := riff("ANMF", slices.Concat(place16, riff("VP8L", lossless(90, 60)), riff("Prvt", []byte(needle))))
	animation := webpFile(riff("VP8X", canvas(hasAnimation|hasEXIF, 90, 60)), riff("ANIM", make([]byte, 6)), frame, frame,
		riff("EXIF", exif(binary.LittleEndian, 8)))
	clean := strip(t, animation, photo.WebP)
	requireClean(t, clean)
	bare := riff("ANMF", slices.Concat(place16, riff("VP8L", lossless(90, 60))))
	require.Equal(t, webpFile(riff("VP8X", canvas(hasAnimation|hasEXIF, 90, 60)), riff("ANIM", make([]byte, 6)), bare, bare, riff("EXIF", block(8))), clean)

	plain := encodePNG(t, gradient(90, 60))
	control := chunk("acTL", "\x00\x00\x00\x01\x00\x00\x00\x00")
	require.Contains(t, string(strip(t, slices.Concat(plain[:afterHeader], control, plain[afterHeader:]), photo.PNG)), string(control))
}

func TestStripHEIC(t *testing.T) {
	t.Parallel()
	file := plantHEIC(exif(binary.BigEndian, 6))
	requirePlanted(t, file)
	clean := strip(t, file, photo.HEIC)
	requireClean(t, clean)
	for _, kept := range []string{string(pixels), "\x00\x00\x00\x09irot\x03", string(icc("RGB ")), "dimg\x00\x01\x00\x01\x00\x02", "\x00\x00\x00\x00\x01\x00\x00\xc8"} {
		require.Contains(t, string(clean), kept)
	}
	for _, gone := range []string{"Exif", "mime", "cdsc", "udes", "uuid", "moov", "mpvd", "SEFT"} {
		require.NotContains(t, string(clean), gone)
	}
	require.Equal(t, bytes.Index(file, pixels), bytes.Index(clean, pixels), "nothing moves")
	info, err := photo.Inspect(bytes.NewReader(clean), int64(len(clean)))
	require.NoError(t, err)
	require.Equal(t, photo.Info{Type: photo.HEIC, Width: 256, Height: 200}, info)
	require.Equal(t, clean, strip(t, clean, photo.HEIC))
}

// Files of other writers: libheif's heif-enc and libwebp's cwebp and webpmux, with metadata by ExifTool.
func TestStripForeign(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]photo.Type{"planted.heic": photo.HEIC, "planted.webp": photo.WebP} {
		file, err := os.ReadFile("testdata/" + name)
		require.NoError(t, err)
		requirePlanted(t, file)
		info, err := photo.Inspect(bytes.NewReader(file), int64(len(file)))
		require.NoError(t, err)
		require.Equal(t, photo.Info{Type: kind, Width: 96, Height: 64}, info)
		clean := strip(t, file, kind)
		requireClean(t, clean)
		require.Equal(t, clean, strip(t, clean, kind))
		if kind != photo.WebP {
			continue
		}
		before, err := webp.Decode(bytes.NewReader(file))
		require.NoError(t, err)
		after, err := webp.Decode(bytes.NewReader(clean))
		require.NoError(t, err)
		require.Equal(t, before, after)
	}
}

func TestStripRefuses(t *testing.T) {
	t.Parallel()
	plain := encodeJPEG(t, gradient(90, 60))
	scan := bytes.Index(plain, []byte{0xFF, 0xDA})
	picture := encodePNG(t, gradient(90, 60))
	broken := bytes.Clone(picture)
	broken[len(broken)-14] ^= 1
	located := func(entries ...[]byte) []byte {
		return heic(nil, func(int) []byte {
			return fullBox("iloc", 1, []byte{0x44, 0, 0, byte(len(entries))}, slices.Concat(entries...))
		})
	}
	huge := binary.BigEndian.AppendUint32(nil, 1<<32-1)
	for name, c := range map[string]struct {
		kind photo.Type
		file []byte
		want error
	}{
		"pdf":                        {photo.PDF, []byte("%PDF-1.7\n%%EOF"), photo.ErrType},
		"png as jpeg":                {photo.JPEG, picture, photo.ErrMalformed},
		"jpeg as heic":               {photo.HEIC, plain, photo.ErrMalformed},
		"scan without frame":         {photo.JPEG, slices.Concat(plain[:2], plain[scan:]), photo.ErrMalformed},
		"two frames":                 {photo.JPEG, slices.Concat(plain[:scan], plain[2:]), photo.ErrMalformed},
		"thousand scans":             {photo.JPEG, slices.Concat(plain[:scan], bytes.Repeat(plain[scan:scan+14], 1000), plain[scan:]), photo.ErrMalformed},
		"segment shorter than 2":     {photo.JPEG, slices.Concat(plain[:2], []byte{0xFF, 0xE1, 0, 1}, plain[2:]), photo.ErrMalformed},
		"sum of chunk":               {photo.PNG, broken, photo.ErrMalformed},
		"chunk beyond the file":      {photo.PNG, slices.Concat(picture[:afterHeader], huge, []byte("IDAT"), picture[afterHeader:]), photo.ErrTruncated},
		"unknown critical chunk":     {photo.PNG, slices.Concat(picture[:afterHeader], chunk("CgBI", "1234"), picture[afterHeader:]), photo.ErrMalformed},
		"chunk beyond the riff":      {photo.WebP, webpFile(riff("VP8L", lossless(9, 9)), append([]byte("VP8L"), 255, 255, 255, 255)), photo.ErrMalformed},
		"webp with a strange start":  {photo.WebP, webpFile(riff("Prvt", nil), riff("VP8L", lossless(9, 9))), photo.ErrType},
		"second canvas":              {photo.WebP, webpFile(riff("VP8X", canvas(0, 9, 9)), riff("VP8L", lossless(9, 9)), riff("VP8X", canvas(0, 9, 9))), photo.ErrMalformed},
		"animation frame of nothing": {photo.WebP, webpFile(riff("VP8X", canvas(hasAnimation, 9, 9)), riff("ANMF", nil)), photo.ErrMalformed},
		"extent behind the file":     {photo.HEIC, located(extent(2, 0, 1<<20, 5)), photo.ErrTruncated},
		"extent in the header":       {photo.HEIC, located(extent(2, 0, 4, 5)), photo.ErrMalformed},
		"extent that wraps":          {photo.HEIC, located(extent(2, 0, 1<<32-1, 1<<32-1)), photo.ErrTruncated},
		"extent of nothing":          {photo.HEIC, located(extent(2, 0, 900, 0)), photo.ErrMalformed},
		"extent of another item":     {photo.HEIC, located(extent(2, 2, 0, 5)), photo.ErrMalformed},
		"extent outside of idat":     {photo.HEIC, located(extent(1, 1, 0, 500)), photo.ErrMalformed},
		"located twice":              {photo.HEIC, located(extent(1, 1, 0, 5), extent(1, 1, 0, 5)), photo.ErrMalformed},
		"count of locations":         {photo.HEIC, heic(nil, func(int) []byte { return fullBox("iloc", 2, []byte{0x44, 0}, huge) }), photo.ErrMalformed},
		"count of extents":           {photo.HEIC, heic(nil, func(int) []byte { return fullBox("iloc", 1, []byte{0x44, 0, 0, 1, 0, 2, 0, 0, 0, 0, 255, 255}) }), photo.ErrMalformed},
		"extents of no bytes":        {photo.HEIC, heic(nil, func(int) []byte { return fullBox("iloc", 1, []byte{0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 255, 255}) }), photo.ErrMalformed},
		"box of four bytes":          {photo.HEIC, heic(nil, func(int) []byte { return []byte("\x00\x00\x00\x04iloc") }), photo.ErrMalformed},
		"box beyond its parent":      {photo.HEIC, heic(nil, func(int) []byte { return append(bytes.Clone(huge), "iloc"...) }), photo.ErrMalformed},
		"box of 2^63 bytes":          {photo.HEIC, heic(nil, func(int) []byte { return []byte("\x00\x00\x00\x01iloc\x80\x00\x00\x00\x00\x00\x00\x00") }), photo.ErrMalformed},
		"second metadata":            {photo.HEIC, append(heic(nil, nil), fullBox("meta", 0)...), photo.ErrMalformed},
		"no metadata":                {photo.HEIC, isoBox("ftyp", []byte("heic\x00\x00\x00\x00mif1")), photo.ErrTruncated},
	} {
		err := photo.Strip(io.Discard, c.file, c.kind)
		require.ErrorIs(t, err, c.want, name)
	}
}

// Extents that overlap are copied once: 2,000 of 10 MB each would be 20 GB.
func TestStripOverlap(t *testing.T) {
	t.Parallel()
	const count = 2_000
	file := heic(nil, func(data int) []byte {
		one := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(data)), uint32(len(pixels)))
		entry := binary.BigEndian.AppendUint16([]byte{0, 2, 0, 0, 0, 0}, count)
		return fullBox("iloc", 1, []byte{0x44, 0, 0, 1}, entry, bytes.Repeat(one, count))
	})
	require.Contains(t, string(strip(t, file, photo.HEIC)), string(pixels))
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

var errFull = errors.New("no space left")

func TestStripWriterFails(t *testing.T) {
	t.Parallel()
	m := gradient(9, 6)
	for kind, file := range map[photo.Type][]byte{
		photo.JPEG: encodeJPEG(t, m), photo.PNG: encodePNG(t, m), photo.WebP: plantWebP(exif(binary.BigEndian, 6)), photo.HEIC: heic(nil, nil),
	} {
		require.ErrorIs(t, photo.Strip(full{}, file, kind), errFull)
	}
}
