package photo_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the files here tell about the person who took them, as text or as EXIF numbers of either byte order.
const (
	place  = "PLANTED 1100 Congress Avenue"
	owner  = "PLANTED Ada Owner"
	serial = "PLANTED-40417"
	needle = "PLANTED"
)

// latitude is 30° 16' 1.92" as EXIF has it: three fractions.
func latitude(order binary.AppendByteOrder) []byte {
	var b []byte
	for _, n := range []uint32{30, 1, 16, 1, 192, 100} {
		b = order.AppendUint32(b, n)
	}
	return b
}

func requireClean(t *testing.T, file []byte) {
	t.Helper()
	require.NotContains(t, string(file), needle)
	require.NotContains(t, string(file), string(latitude(binary.BigEndian)))
	require.NotContains(t, string(file), string(latitude(binary.LittleEndian)))
}

func requirePlanted(t *testing.T, file []byte) {
	t.Helper()
	require.Contains(t, string(file), needle)
}

// exif is a block with an orientation, an owner, a serial number and a place.
func exif(order binary.AppendByteOrder, orientation uint16) []byte {
	values := binary.ByteOrder(binary.BigEndian)
	b := []byte("MM\x00*\x00\x00\x00\x08")
	if order.String() == "LittleEndian" {
		values, b = binary.LittleEndian, []byte("II*\x00\x08\x00\x00\x00")
	}
	entry := func(tag, kind uint16, count int, value uint32) {
		b = order.AppendUint16(b, tag)
		b = order.AppendUint16(b, kind)
		b = order.AppendUint32(b, uint32(count))
		b = order.AppendUint32(b, value)
	}
	b = order.AppendUint16(b, 4)
	next := uint32(8 + 2 + 4*12 + 4)
	field := make([]byte, 4)
	values.PutUint16(field, orientation)
	entry(0x010F, 2, len(serial), next)
	entry(0x0112, 3, 1, values.Uint32(field))
	entry(0xA430, 2, len(owner), next+uint32(len(serial)))
	entry(0x8825, 4, 1, next+uint32(len(serial)+len(owner)))
	b = append(b, 0, 0, 0, 0)
	b = append(b, serial+owner...)
	gps := uint32(len(b))
	b = order.AppendUint16(b, 1)
	entry(0x0002, 5, 3, gps+2+12+4)
	b = append(b, 0, 0, 0, 0)
	return append(b, latitude(order)...)
}

// block is all that may be left of one.
func block(orientation byte) []byte {
	return []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(orientation) + "\x00\x00\x00\x00\x00\x00")
}

const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><Iptc4xmpCore:Location>` + place + `</Iptc4xmpCore:Location></x:xmpmeta>`

// icc is no profile that would do anything, but has the header of one.
func icc(space string) []byte {
	b := make([]byte, 600)
	for i := range b {
		b[i] = byte(i * 7)
	}
	copy(b[16:], space)
	copy(b[36:], "acsp")
	return b
}

// gradient is a picture without symmetry.
func gradient(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetRGBA(x, y, color.RGBA{R: byte(x * 255 / width), G: byte(y * 255 / height), B: byte((x/8 + y/8) % 2 * 200), A: 255})
		}
	}
	return m
}

func encodeJPEG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, m, &jpeg.Options{Quality: 90}))
	return b.Bytes()
}

func encodePNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, m))
	return b.Bytes()
}

func segment(marker byte, payload ...string) []byte {
	all := slices.Concat(toBytes(payload)...)
	return append(binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(len(all)+2)), all...)
}

func toBytes(parts []string) [][]byte {
	var all [][]byte
	for _, part := range parts {
		all = append(all, []byte(part))
	}
	return all
}

// plantJPEG puts into a JPEG whatever cameras and editors put there.
func plantJPEG(plain, exif []byte) []byte {
	return slices.Concat(plain[:2],
		segment(0xE0, "JFIF\x00\x01\x02\x01\x00\x48\x00\x48\x01\x01", "PLA"), // with a preview of one pixel
		segment(0xE0, "JFXX\x00\x10", needle),
		[]byte{0xFF, 0xFF}, // fill bytes
		segment(0xE1, "Exif\x00\x00", string(exif)),
		segment(0xE1, "http://ns.adobe.com/xap/1.0/\x00", xmp),
		segment(0xE1, "http://ns.adobe.com/xmp/extension/\x00", xmp),
		segment(0xE2, "ICC_PROFILE\x00\x01\x01", string(icc("RGB "))),
		segment(0xE2, "MPF\x00", needle),
		segment(0xE5, needle),
		segment(0xED, "Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x20\x1c\x02\x5a\x00\x1c", place),
		segment(0xEE, "Adobe\x00\x64\x00\x00\x00\x00\x01", needle),
		segment(0xFE, needle),
		plain[2:],
		[]byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00\x00\x00\x00\x20moov"+place), latitude(binary.BigEndian))
}

func chunk(kind string, data ...string) []byte {
	body := slices.Concat(toBytes(append([]string{kind}, data...))...)
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)-4))
	return binary.BigEndian.AppendUint32(append(b, body...), crc32.ChecksumIEEE(body))
}

func deflate(data []byte) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write(data)
	_ = w.Close()
	return b.String()
}

const afterHeader = 8 + 25 // of a PNG

func plantPNG(plain, exif []byte) []byte {
	const end = 12
	return slices.Concat(plain[:afterHeader],
		chunk("gAMA", "\x00\x00\xb1\x8f"),
		chunk("iCCP", needle, "\x00\x00", deflate(icc("RGB "))),
		chunk("pHYs", "\x00\x00\x0b\x13\x00\x00\x0b\x13\x01"),
		chunk("tEXt", "Comment\x00", place),
		chunk("zTXt", "Comment\x00\x00", deflate([]byte(place)), needle),
		chunk("iTXt", "XML:com.adobe.xmp\x00\x00\x00\x00\x00", xmp),
		chunk("tIME", "\x07\xea\x0b\x16\x06\x1d\x00"),
		chunk("prVt", needle),
		plain[afterHeader:len(plain)-end],
		chunk("eXIf", string(exif)),
		plain[len(plain)-end:],
		[]byte(place), latitude(binary.BigEndian))
}

func riff(kind string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(data)))
	b = append(b, data...)
	if len(data)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

func webpFile(chunks ...[]byte) []byte {
	return riff("RIFF", append([]byte("WEBP"), slices.Concat(chunks...)...))
}

// lossless is a picture of one colour as VP8L: five prefix codes of a single symbol, so that a pixel takes no bit.
func lossless(width, height int) []byte {
	var bits, n uint64
	var b []byte
	put := func(value uint64, count uint64) {
		bits |= value << n
		for n += count; n >= 8; n -= 8 {
			b = append(b, byte(bits))
			bits >>= 8
		}
	}
	put(0x2F, 8)
	put(uint64(width-1), 14)
	put(uint64(height-1), 14)
	put(0, 4) // opaque, version 0
	put(0, 3) // no transform, no colour cache, no meta prefix codes
	for _, symbol := range []uint64{200, 100, 50, 255} {
		put(0b101, 3) // a simple code, of one symbol, of 8 bits
		put(symbol, 8)
	}
	put(0b0001, 4) // one symbol of one bit: distance 0
	put(0, 8)
	return append(b, byte(bits))
}

func canvas(flags byte, width, height int) []byte {
	return []byte{flags, 0, 0, 0, byte(width - 1), byte((width - 1) >> 8), 0, byte(height - 1), byte((height - 1) >> 8), 0}
}

const (
	hasICC       = 0x20
	hasEXIF      = 0x08
	hasXMP       = 0x04
	hasAnimation = 0x02
)

func plantWebP(exif []byte) []byte {
	return append(webpFile(
		riff("VP8X", canvas(hasICC|hasEXIF|hasXMP, 90, 60)),
		riff("ICCP", icc("RGB ")),
		riff("VP8L", lossless(90, 60)),
		riff("EXIF", exif),
		riff("XMP ", []byte(xmp)),
		riff("Prvt", []byte(needle)),
	), place...)
}

func isoBox(kind string, parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(body)+8)), kind...), body...)
}

func fullBox(kind string, version byte, parts ...[]byte) []byte {
	return isoBox(kind, append([][]byte{{version, 0, 0, 0}}, parts...)...)
}

func infe(id byte, kind, rest string) []byte {
	return fullBox("infe", 2, []byte{0, id, 0, 0}, []byte(kind+rest))
}

// extent is an entry of iloc, version 1, of four-byte offsets and lengths.
func extent(id, method byte, offset, length int) []byte {
	b := []byte{0, id, 0, method, 0, 0, 0, 1}
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, uint32(offset)), uint32(length))
}

var pixels = bytes.Repeat([]byte("coded pixels."), 30)

// heic is a HEIF of a grid, its one tile, Exif and XMP, without a decodable picture. Its locations can be replaced.
func heic(exif []byte, locations func(data int) []byte) []byte {
	data := slices.Concat(pixels, exif, []byte(xmp), []byte(needle))
	file := func(at int) []byte {
		iloc := fullBox("iloc", 1, []byte{0x44, 0, 0, 4},
			extent(1, 1, 4, 8), extent(2, 0, at, len(pixels)), extent(3, 0, at+len(pixels), len(exif)),
			extent(4, 0, at+len(pixels)+len(exif), len(xmp)))
		if locations != nil {
			iloc = locations(at)
		}
		return slices.Concat(
			isoBox("ftyp", []byte("heic\x00\x00\x00\x00mif1heic")),
			fullBox("meta", 0,
				fullBox("hdlr", 0, []byte("\x00\x00\x00\x00pict\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), []byte(needle+"\x00")),
				fullBox("pitm", 0, []byte{0, 1}),
				fullBox("iinf", 0, []byte{0, 4}, infe(1, "grid", "\x00"), infe(2, "hvc1", needle+"\x00"), infe(3, "Exif", "\x00"),
					infe(4, "mime", "\x00application/rdf+xml\x00")),
				iloc,
				fullBox("iref", 0, isoBox("dimg", []byte{0, 1, 0, 1, 0, 2}), isoBox("cdsc", []byte{0, 3, 0, 1, 0, 1}), isoBox("cdsc", []byte{0, 4, 0, 1, 0, 1})),
				isoBox("iprp",
					isoBox("ipco",
						fullBox("ispe", 0, []byte{0, 0, 1, 0, 0, 0, 0, 200}),
						isoBox("irot", []byte{3}),
						isoBox("colr", []byte("prof"), icc("RGB ")),
						fullBox("udes", 0, []byte("en\x00"+place+"\x00\x00\x00")),
					),
					fullBox("ipma", 0, []byte{0, 0, 0, 2, 0, 1, 4, 1, 0x82, 3, 4, 0, 2, 1, 1})),
				isoBox("idat", []byte("PLAN\x00\x00\x00\x00\x01\x00\x00\xc8TED")),
				isoBox("uuid", []byte(place)),
			),
			isoBox("moov", []byte(place)),
			isoBox("mdat", data),
		)
	}
	start := len(file(0)) - len(data)
	return file(start)
}

func plantHEIC(exif []byte) []byte {
	return slices.Concat(heic(exif, nil), isoBox("mpvd", []byte(place)), []byte("SEFT"+place))
}
