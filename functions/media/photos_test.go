package main

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/photo"
)

// What the planted metadata tells: text, and 30° 16' 1.92" as EXIF has it, three fractions of either byte order.
const needle = "PLANTED"

func latitudes() [][]byte {
	var both [][]byte
	for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
		var b []byte
		for _, n := range []uint32{30, 1, 16, 1, 48, 25} {
			b = order.AppendUint32(b, n)
		}
		both = append(both, b)
	}
	return both
}

// planted returns one of the files in which real programs wrote metadata.
func planted(t testing.TB, name string) []byte {
	t.Helper()
	file, err := os.ReadFile("../../shared/photo/testdata/planted." + name)
	require.NoError(t, err)
	return file
}

// metadata returns the EXIF block, which turns the picture, and the XMP of the planted WebP.
func metadata(t testing.TB) (exif, xmp string) {
	t.Helper()
	file := planted(t, "webp")
	for at := 12; at+8 <= len(file); {
		length := int(binary.LittleEndian.Uint32(file[at+4:]))
		data := string(file[at+8 : at+8+length])
		switch string(file[at : at+4]) {
		case "EXIF":
			exif = data
		case "XMP ":
			xmp = data
		}
		at += 8 + length + length%2
	}
	require.Contains(t, exif, string(latitudes()[0]))
	require.Contains(t, xmp, "GPSLatitude")
	return exif, xmp
}

const iptc = "Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x14\x1c\x02\x5a\x00\x0f" + needle + " Austin!"

// profile is no colour profile that would do anything, but has the header of one.
func profile() string {
	b := bytes.Repeat([]byte{7}, 200)
	copy(b[16:], "RGB ")
	copy(b[36:], "acsp")
	return string(b)
}

func gradient(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetRGBA(x, y, color.RGBA{R: byte(x * 255 / width), G: byte(y * 255 / height), B: byte((x/8 + y/8) % 2 * 200), A: 255})
		}
	}
	return m
}

func plainJPEG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, m, nil))
	return b.Bytes()
}

func segment(marker byte, payload string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(len(payload)+2)), payload...)
}

// phoneJPEG is a photo as phones write them: turned, with place, owner and a colour profile.
func phoneJPEG(t testing.TB) []byte {
	t.Helper()
	exif, xmp := metadata(t)
	plain := plainJPEG(t, gradient(1200, 900))
	return slices.Concat(plain[:2], segment(0xE1, "Exif\x00\x00"+exif), segment(0xE1, "http://ns.adobe.com/xap/1.0/\x00"+xmp),
		segment(0xE2, "ICC_PROFILE\x00\x01\x01"+profile()), segment(0xED, iptc), segment(0xFE, needle), plain[2:], []byte(needle))
}

func chunk(kind, data string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	return binary.BigEndian.AppendUint32(append(b, kind+data...), crc32.ChecksumIEEE([]byte(kind+data)))
}

// phonePNG is the same as a PNG.
func phonePNG(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, gradient(1200, 900)))
	exif, xmp := metadata(t)
	const header = 8 + 25
	return slices.Concat(b.Bytes()[:header], chunk("eXIf", exif), chunk("iTXt", "XML:com.adobe.xmp\x00\x00\x00\x00\x00"+xmp),
		chunk("tEXt", "Raw profile type iptc\x00"+iptc), b.Bytes()[header:])
}

// orientation is all of an EXIF block that may be left: the picture lies on its side.
const orientation = "MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"

func requirePlanted(t testing.TB, file []byte) {
	t.Helper()
	require.Contains(t, string(file), needle)
}

// requireClean looks at every byte for what could tell place or owner: texts, numbers and the names of what holds them.
func requireClean(t testing.TB, file []byte) {
	t.Helper()
	for _, number := range latitudes() {
		require.False(t, bytes.Contains(file, number), "it holds a latitude")
	}
	for _, text := range []string{needle, "GPS", "x:xmpmeta", "ns.adobe.com", "8BIM", "Iptc4xmp"} {
		require.False(t, bytes.Contains(file, []byte(text)), "it holds %s", text)
	}
}

// upright returns what a thumbnail of file looks like, and its size.
func upright(t testing.TB, file []byte, kind photo.Type) ([]byte, image.Point) {
	t.Helper()
	small, err := photo.Thumbnail(file, kind, longerSide)
	require.NoError(t, err)
	info, err := photo.Inspect(bytes.NewReader(small), int64(len(small)))
	require.NoError(t, err)
	return small, image.Pt(info.Width, info.Height)
}
