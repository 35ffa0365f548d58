package photo

import (
	"bytes"
	"compress/zlib"
	"io"
)

// maxProfile bounds the colour profile that goes into a thumbnail: those of cameras and screens are of some kilobytes.
const maxProfile = 64<<10 - 1 - 2 - iccSegment

// iccSegment is what stands before a profile in its JPEG segment: the name, this part's number, the number of parts.
const iccSegment = len(iccHeader) + 2

// profile returns the RGB colour profile of a picture in memory; nil if it has none, or one that is none.
func profile(s *source, t Type) []byte {
	var found []byte
	switch t {
	case JPEG:
		_ = eachHeader(s, func(marker byte, payload []byte) {
			if marker == markerAPP2 && len(payload) >= iccSegment && bytes.HasPrefix(payload, []byte(iccHeader)) {
				found = append(found, payload[iccSegment:]...)
			}
		})
	case PNG:
		_ = eachChunk(s, func(kind string, data []byte) {
			if _, rest, ok := bytes.Cut(data, []byte{0}); kind == "iCCP" && ok && len(rest) > 1 && found == nil {
				found = inflate(rest[1:])
			}
		})
	case WebP:
		_ = eachRIFFChunk(s, func(kind string, data []byte) {
			if kind == "ICCP" && found == nil {
				found = data
			}
		})
	}
	// ICC.1:2022, 7.2: a header of 128 bytes, in which are the colour space and a signature.
	if len(found) < 128 || len(found) > maxProfile || string(found[16:20]) != "RGB " || string(found[36:40]) != "acsp" {
		return nil
	}
	return found
}

func inflate(data []byte) []byte {
	r, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	plain, err := io.ReadAll(io.LimitReader(r, int64(maxProfile)+1))
	if err != nil {
		return nil
	}
	return plain
}
