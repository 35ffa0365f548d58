package story

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"slices"
)

// Where the photos were taken, as EXIF has it: three fractions each, of degrees, minutes and seconds.
const (
	latitude  = "\x00\x00\x00\x1e\x00\x00\x00\x01" + "\x00\x00\x00\x10\x00\x00\x00\x01" + "\x00\x00\x00\x30\x00\x00\x00\x19" // 30° 16' 1.92"
	longitude = "\x00\x00\x00\x61\x00\x00\x00\x01" + "\x00\x00\x00\x2c\x00\x00\x00\x01" + "\x00\x00\x03\x4b\x00\x00\x00\x19" // 97° 44' 33.72"
)

// exif is what a phone writes into a photo, in two directories: how it held the phone, and where it was.
const exif = "Exif\x00\x00" + "MM\x00*\x00\x00\x00\x08" +
	"\x00\x02" +
	"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00" + // Orientation: the picture lies on its left side
	"\x88\x25\x00\x04\x00\x00\x00\x01\x00\x00\x00\x26" + // GPSInfo, at 38
	"\x00\x00\x00\x00" +
	"\x00\x04" +
	"\x00\x01\x00\x02\x00\x00\x00\x02N\x00\x00\x00" + // GPSLatitudeRef
	"\x00\x02\x00\x05\x00\x00\x00\x03\x00\x00\x00\x5c" + // GPSLatitude, at 92
	"\x00\x03\x00\x02\x00\x00\x00\x02W\x00\x00\x00" + // GPSLongitudeRef
	"\x00\x04\x00\x05\x00\x00\x00\x03\x00\x00\x00\x74" + // GPSLongitude, at 116
	"\x00\x00\x00\x00" + latitude + longitude

// The same as other programs have it.
const (
	xmp = "http://ns.adobe.com/xap/1.0/\x00" + `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		`<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="30,16.032N" exif:GPSLongitude="97,44.562W"/></rdf:RDF></x:xmpmeta>`
	city = "Austin"
	iptc = "Photoshop 3.0\x008BIM\x04\x04\x00\x00" + "\x00\x00\x00\x0b" + "\x1c\x02\x5a\x00\x06" + city + "\x00"
)

// places are what in a photo tells where it was taken.
func places() []string { return []string{latitude, longitude, "GPSLatitude", city} }

// Shot returns a JPEG as a phone takes it: of so many pixels, turned, and with the place where it was taken.
func Shot(width, height int) ([]byte, error) {
	picture := image.NewGray(image.Rect(0, 0, width, height))
	for i := range picture.Pix {
		picture.Pix[i] = byte(i % width * 255 / width)
	}
	return taken(picture)
}

// Grainy is a [Shot] with as much noise as makes its file as long as a phone's.
func Grainy(width, height int) ([]byte, error) {
	const noise = 31
	picture := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	source := rand.New(rand.NewPCG(1, 2))
	for i := range picture.Y {
		picture.Y[i] = byte(64 + i*64/len(picture.Y) + source.IntN(noise))
	}
	for i := range picture.Cb {
		picture.Cb[i], picture.Cr[i] = 120, 136
	}
	return taken(picture)
}

// taken is the file that a phone makes of a picture.
func taken(picture image.Image) ([]byte, error) {
	var file bytes.Buffer
	if err := jpeg.Encode(&file, picture, nil); err != nil {
		return nil, fmt.Errorf("encode photo: %w", err)
	}
	const startOfImage, app1, app13 = 2, 0xE1, 0xED
	head, rest := file.Bytes()[:startOfImage], file.Bytes()[startOfImage:]
	return slices.Concat(head, segment(app1, exif), segment(app1, xmp), segment(app13, iptc), rest), nil
}

// segment is a part of a JPEG: its marker, its length and its content.
func segment(marker byte, content string) []byte {
	const length = 2
	return append(binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(len(content)+length)), content...)
}
