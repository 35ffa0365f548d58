package photo

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"
)

const (
	// maxCost bounds what decoding one picture allocates, so that with the file, its stripped copy and the process all
	// stays under 150 MB. It is 60 megapixels of an ordinary JPEG, 12 of a progressive one, 23 of a PNG.
	maxCost = 90 << 20
	quality = 82
)

// Thumbnail returns the picture src of type t as a JPEG whose longer side is at most side pixels: turned upright, on white where
// it is transparent, with the colour profile of the original. It never enlarges. HEIC and HEIF, lossless and
// transparent and animated WebP, and pictures that need more than 90 MiB to decode have none: ErrNoThumbnail. A
// picture that cannot be decoded is ErrMalformed. Calls are for one picture at a time: each may hold that much.
func Thumbnail(src []byte, t Type, side int) ([]byte, error) {
	thumbnail, err := makeThumbnail(inMemory(src), t, side)
	if err != nil {
		return nil, fmt.Errorf("make thumbnail of %s: %w", t, err)
	}
	return thumbnail, nil
}

func makeThumbnail(s *source, t Type, side int) ([]byte, error) {
	f, err := open(s, t)
	if err != nil {
		return nil, err
	}
	if f.cost == undecoded || f.cost > maxCost {
		return nil, ErrNoThumbnail
	}
	// The walk to the end counts scans and checks lengths before the decoder, which trusts more.
	if err := strip(io.Discard, s, t); err != nil {
		return nil, err
	}
	turned, err := orientationOf(s, t)
	if err != nil {
		return nil, err
	}
	picture, err := decode(s.window, t)
	if err != nil {
		return nil, err
	}
	width, height := fit(f.width, f.height, side)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, turn(shrink(picture, width, height), turned), &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return withProfile(out.Bytes(), profile(s, t)), nil
}

func orientationOf(s *source, t Type) (int, error) {
	switch t {
	case JPEG:
		return jpegOrientation(s)
	case PNG:
		return pngOrientation(s)
	}
	return webpOrientation(s)
}

// decode turns what the decoders say, and should one of them ever panic on a hostile file, into ErrMalformed.
func decode(data []byte, t Type) (picture image.Image, err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("decode: %w", ErrMalformed)
		}
	}()
	r := bytes.NewReader(data)
	switch t {
	case JPEG:
		picture, err = jpeg.Decode(r)
	case PNG:
		picture, err = png.Decode(r)
	default:
		picture, err = webp.Decode(r)
	}
	if err != nil {
		return nil, fmt.Errorf("decode: %w: %w", ErrMalformed, err)
	}
	return picture, nil
}

// withProfile puts a colour profile behind the start of a JPEG.
func withProfile(picture, profile []byte) []byte {
	if profile == nil {
		return picture
	}
	var out bytes.Buffer
	w := &writer{dst: &out}
	w.write(picture[:2])
	w.segment(markerAPP2, []byte(iccHeader), []byte{1, 1}, profile)
	w.write(picture[2:])
	return out.Bytes()
}
