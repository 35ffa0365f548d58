package photo_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/photo"
)

func thumbnail(t *testing.T, file []byte, kind photo.Type) image.Image {
	t.Helper()
	small, err := photo.Thumbnail(file, kind, 512)
	require.NoError(t, err)
	m, err := jpeg.Decode(bytes.NewReader(small))
	require.NoError(t, err)
	return m
}

// corners is a picture of four colours: red and green above blue and white.
func corners(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	colours := [4]color.RGBA{{R: 255, A: 255}, {G: 255, A: 255}, {B: 255, A: 255}, {R: 255, G: 255, B: 255, A: 255}}
	for y := range height {
		for x := range width {
			m.SetRGBA(x, y, colours[2*(2*y/height)+2*x/width])
		}
	}
	return m
}

// names says which colours are at the quarters of a picture: above left, above right, below left, below right.
func names(m image.Image) string {
	var all string
	bounds := m.Bounds()
	for i := range 4 {
		r, g, b, _ := m.At(bounds.Dx()*(1+2*(i%2))/4, bounds.Dy()*(1+2*(i/2))/4).RGBA()
		switch {
		case r > 0x8000 && g > 0x8000:
			all += "w"
		case r > 0x8000:
			all += "r"
		case g > 0x8000:
			all += "g"
		case b > 0x8000:
			all += "b"
		default:
			all += "?"
		}
	}
	return all
}

func TestThumbnailOrientation(t *testing.T) {
	t.Parallel()
	seen := []string{1: "rgbw", 2: "grwb", 3: "wbgr", 4: "bwrg", 5: "rbgw", 6: "brwg", 7: "wgbr", 8: "gwrb"} // CIPA DC-008, 4.6.5
	plain := map[photo.Type][]byte{photo.JPEG: encodeJPEG(t, corners(1200, 900)), photo.PNG: encodePNG(t, corners(1200, 900))}
	plant := map[photo.Type]func(plain, exif []byte) []byte{photo.JPEG: plantJPEG, photo.PNG: plantPNG}
	for kind, file := range plain {
		for turned := 1; turned <= 8; turned++ {
			file := plant[kind](file, exif(binary.LittleEndian, uint16(turned)))
			m := thumbnail(t, file, kind)
			require.Equal(t, seen[turned], names(m), "%s, %d", kind, turned)
			want := image.Pt(512, 384)
			if turned >= 5 {
				want = image.Pt(384, 512)
			}
			require.Equal(t, want, m.Bounds().Max)
			require.Equal(t, m, thumbnail(t, strip(t, file, kind), kind), "the stripped file looks the same")
		}
	}
}

func TestThumbnailSizes(t *testing.T) {
	t.Parallel()
	for from, want := range map[image.Point]image.Point{
		{1, 1}: {1, 1}, {512, 512}: {512, 512}, {513, 300}: {512, 299}, {1023, 767}: {512, 384}, {16384, 1}: {512, 1}, {3, 9000}: {1, 512},
	} {
		m := thumbnail(t, encodeJPEG(t, corners(from.X, from.Y)), photo.JPEG)
		require.Equal(t, want, m.Bounds().Max)
	}
}

// A shrunk picture is the mean of what it shows: a chequerboard becomes grey.
func TestThumbnailAverages(t *testing.T) {
	t.Parallel()
	m, coloured := image.NewGray(image.Rect(0, 0, 2048, 2048)), image.NewRGBA(image.Rect(0, 0, 2048, 2048))
	for i := range m.Pix {
		m.Pix[i] = byte((i + i/2048) % 2 * 255)
		coloured.Set(i%2048, i/2048, m.At(i%2048, i/2048))
	}
	for kind, file := range map[photo.Type][]byte{photo.PNG: encodePNG(t, m), photo.JPEG: encodeJPEG(t, coloured)} {
		small := thumbnail(t, file, kind)
		for y := range 512 {
			for x := range 512 {
				r, _, _, _ := small.At(x, y).RGBA()
				require.InDelta(t, 0x8000, int(r), 0x400)
			}
		}
	}
}

func TestThumbnailTransparency(t *testing.T) {
	t.Parallel()
	m := image.NewNRGBA(image.Rect(0, 0, 600, 600))
	require.Equal(t, "wwww", names(thumbnail(t, encodePNG(t, m), photo.PNG)))
}

func TestThumbnailProfile(t *testing.T) {
	t.Parallel()
	m := gradient(90, 60)
	none := exif(binary.BigEndian, 1)
	for kind, file := range map[photo.Type][]byte{photo.JPEG: plantJPEG(encodeJPEG(t, m), none), photo.PNG: plantPNG(encodePNG(t, m), none)} {
		small, err := photo.Thumbnail(file, kind, 512)
		require.NoError(t, err)
		require.Contains(t, string(small), "ICC_PROFILE\x00\x01\x01"+string(icc("RGB ")), kind)
		requireClean(t, small)
	}
	plain := encodeJPEG(t, m)
	for name, profile := range map[string]string{"of ink": string(icc("CMYK")), "of nothing": needle, "too large": string(icc("RGB ")) + string(make([]byte, 64000))} {
		half := len(profile) / 2
		file := slices.Concat(plain[:2], segment(0xE2, "ICC_PROFILE\x00\x01\x02", profile[:half]), segment(0xE2, "ICC_PROFILE\x00\x02\x02", profile[half:]),
			segment(0xE2, "ICC_PROFILE\x00\x02\x02", string(make([]byte, 1000))), plain[2:])
		small, err := photo.Thumbnail(file, photo.JPEG, 512)
		require.NoError(t, err)
		require.NotContains(t, string(small), "ICC_PROFILE", name)
	}
}

func TestThumbnailLossyWebP(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("testdata/planted.webp") // it says that it is turned
	require.NoError(t, err)
	require.Equal(t, image.Pt(64, 96), thumbnail(t, file, photo.WebP).Bounds().Max)
}

func TestThumbnailNone(t *testing.T) {
	t.Parallel()
	progressive := func(side uint16, components string) []byte {
		b := binary.BigEndian.AppendUint16([]byte{8}, side)
		header := string(append(binary.BigEndian.AppendUint16(b, side), components...))
		return slices.Concat([]byte{0xFF, 0xD8}, segment(0xC2, header), segment(0xDA, "\x01\x01\x00\x00\x00\x00"), []byte{0xFF, 0xD9})
	}
	large := encodePNG(t, image.NewGray(image.Rect(0, 0, 1, 1)))
	copy(large[8+8:], "\x00\x00\x1d\x4c\x00\x00\x1d\x4c") // 7,500 by 7,500
	for name, c := range map[string]struct {
		kind photo.Type
		file []byte
		want error
	}{
		"heic":                   {photo.HEIC, heic(nil, nil), photo.ErrNoThumbnail},
		"lossless webp":          {photo.WebP, webpFile(riff("VP8L", lossless(90, 60))), photo.ErrNoThumbnail},
		"large progressive":      {photo.JPEG, progressive(4000, "\x03\x01\x22\x00\x02\x11\x00\x03\x11\x00"), photo.ErrNoThumbnail},
		"progressive of no data": {photo.JPEG, progressive(40, "\x03\x01\x22\x00\x02\x11\x00\x03\x11\x00"), photo.ErrMalformed},
		"factors of nothing":     {photo.JPEG, progressive(40, "\x03\x01\x02\x00\x02\x11\x00\x03\x11\x00"), photo.ErrMalformed},
		"large png":              {photo.PNG, large, photo.ErrNoThumbnail},
		"pdf":                    {photo.PDF, []byte(pdf), photo.ErrType},
		"jpeg of 65535 by 65535": {photo.JPEG, progressive(65535, "\x01\x01\x11\x00"), photo.ErrTooLarge},
	} {
		_, err := photo.Thumbnail(c.file, c.kind, 512)
		require.ErrorIs(t, err, c.want, name)
	}
}
