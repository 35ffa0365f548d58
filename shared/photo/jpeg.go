package photo

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Markers of ITU-T T.81, table B.1.
const (
	markerSOF0  = 0xC0
	markerSOF2  = 0xC2
	markerDHT   = 0xC4
	markerRST0  = 0xD0
	markerRST7  = 0xD7
	markerSOI   = 0xD8
	markerEOI   = 0xD9
	markerSOS   = 0xDA
	markerDQT   = 0xDB
	markerDNL   = 0xDC
	markerDRI   = 0xDD
	markerAPP0  = 0xE0
	markerAPP1  = 0xE1
	markerAPP2  = 0xE2
	markerAPP14 = 0xEE
	markerAPP15 = 0xEF
	markerCOM   = 0xFE
)

const (
	jfifHeader  = "JFIF\x00"
	exifHeader  = "Exif\x00\x00"
	iccHeader   = "ICC_PROFILE\x00"
	adobeHeader = "Adobe"

	// maxScans is far above what encoders write (about ten): every scan costs a pass over all blocks, however short it is.
	maxScans = 64
)

// segment is one marker segment: its payload begins at body and ends at end, where the next begins, or after SOS the
// compressed data.
type segment struct {
	marker           byte
	start, body, end int64
}

// segments walks a JPEG from marker to marker.
type segments struct {
	*source
	at     int64
	scans  int
	frames int
}

func openJPEG(s *source) (*segments, error) {
	head, err := s.bytes(0, 2)
	if err != nil {
		return nil, err
	}
	if head[0] != 0xFF || head[1] != markerSOI {
		return nil, fmt.Errorf("read start of image: %w", ErrMalformed)
	}
	return &segments{source: s, at: 2}, nil
}

// next returns the segment at hand and steps over it. The end of the image is a segment without a payload.
func (s *segments) next() (segment, error) {
	start := s.at
	head, err := s.bytes(s.at, 2)
	for err == nil && head[0] == 0xFF && head[1] == 0xFF { // a marker may follow any number of fill bytes
		s.at++
		head, err = s.bytes(s.at, 2)
	}
	if err != nil {
		return segment{}, err
	}
	marker := head[1]
	if head[0] != 0xFF || !known(marker) {
		return segment{}, fmt.Errorf("read marker: %w", ErrMalformed)
	}
	if marker == markerEOI {
		s.at += 2
		return segment{marker: marker, start: start, body: s.at, end: s.at}, s.complete()
	}
	head, err = s.bytes(s.at+2, 2)
	if err != nil {
		return segment{}, err
	}
	length := int64(binary.BigEndian.Uint16(head))
	found := segment{marker: marker, start: s.at, body: s.at + 4, end: s.at + 2 + length}
	switch {
	case length < 2:
		return segment{}, fmt.Errorf("read length of segment: %w", ErrMalformed)
	case found.end > s.size:
		return segment{}, ErrTruncated
	case marker == markerSOS:
		s.scans++
	case isFrame(marker):
		s.frames++
	}
	if s.scans > maxScans || s.frames > 1 || s.scans > 0 && s.frames == 0 {
		return segment{}, fmt.Errorf("count frames and scans: %w", ErrMalformed)
	}
	s.at = found.end
	return found, nil
}

func (s *segments) complete() error {
	if s.scans == 0 {
		return fmt.Errorf("find scan: %w", ErrMalformed)
	}
	return nil
}

// skipScan steps over the compressed data that follows SOS: to the next marker that is not part of it.
func (s *segments) skipScan() error {
	for {
		data, err := s.from(s.at, 2)
		if err != nil {
			return err
		}
		for len(data) >= 2 {
			i := bytes.IndexByte(data[:len(data)-1], 0xFF)
			if i < 0 {
				i = len(data) - 1
				s.at += int64(i)
				break
			}
			s.at += int64(i)
			data = data[i:]
			switch next := data[1]; {
			case next == 0 || next >= markerRST0 && next <= markerRST7:
				s.at += 2
				data = data[2:]
			case next == 0xFF:
				s.at++
				data = data[1:]
			default:
				return nil
			}
		}
	}
}

func (s *segments) payload(found segment) ([]byte, error) {
	return s.bytes(found.body, int(found.end-found.body))
}

func isFrame(marker byte) bool { return marker >= markerSOF0 && marker <= markerSOF2 }

// known tells whether a picture may have the marker. Not among them are the processes that no phone or browser reads:
// lossless, hierarchical and arithmetic coding.
func known(marker byte) bool {
	switch marker {
	case markerDHT, markerEOI, markerSOS, markerDQT, markerDNL, markerDRI, markerCOM:
		return true
	}
	return isFrame(marker) || marker >= markerAPP0 && marker <= markerAPP15
}

// measureJPEG reads to the first scan, and on to the end unless the file ends with an end marker.
func measureJPEG(s *source) (frame, error) {
	walk, err := openJPEG(s)
	if err != nil {
		return frame{}, err
	}
	var f frame
	var rgb bool // by Adobe's segment the samples are no YCbCr; they are put together once more
	for {
		found, err := walk.next()
		if err != nil {
			return frame{}, err
		}
		switch {
		case isFrame(found.marker):
			payload, err := walk.payload(found)
			if err != nil {
				return frame{}, err
			}
			if f, err = jpegFrame(payload, found.marker == markerSOF2); err != nil {
				return frame{}, err
			}
		case found.marker == markerAPP14 && !rgb:
			payload, err := walk.payload(found)
			if err != nil {
				return frame{}, err
			}
			rgb = len(payload) >= 12 && payload[11] == 0
		case found.marker == markerSOS && walk.scans == 1:
			if rgb {
				f.cost += 4 * int64(f.width) * int64(f.height)
			}
			if tail, err := s.bytes(s.size-2, 2); err != nil || bytes.Equal(tail, []byte{0xFF, markerEOI}) {
				return f, err
			}
			fallthrough
		case found.marker == markerSOS:
			if err := walk.skipScan(); err != nil {
				return frame{}, err
			}
		case found.marker == markerEOI:
			return f, nil
		}
	}
}

// jpegFrame reads a frame header (T.81, B.2.2). Decoding takes a byte a sample, and for a progressive picture four more to
// collect the coefficients; four components, or red, green and blue, are then put together once
// more.
func jpegFrame(header []byte, progressive bool) (frame, error) {
	c := cursor{rest: header}
	precision, height, width, components := c.int(1), c.int(2), c.int(2), c.int(1)
	if c.short || precision != 8 || components != 1 && components != 3 && components != 4 {
		return frame{}, fmt.Errorf("read frame header: %w", ErrMalformed)
	}
	var samples, horizontal, vertical int
	var names []byte
	for range components {
		names = append(names, c.take(1)...)
		factors := c.int(1)
		c.take(1)
		h, v := factors>>4, factors&15
		if h < 1 || h > 4 || v < 1 || v > 4 {
			return frame{}, fmt.Errorf("read sampling factors: %w", ErrMalformed)
		}
		samples += h * v
		horizontal, vertical = max(horizontal, h), max(vertical, v)
	}
	if c.short {
		return frame{}, fmt.Errorf("read frame header: %w", ErrMalformed)
	}
	if components == 1 { // one component is never interleaved: its factors mean nothing
		samples, horizontal, vertical = 1, 1, 1
	}
	across := (width + 8*horizontal - 1) / (8 * horizontal)
	down := (height + 8*vertical - 1) / (8 * vertical)
	cost := int64(across) * int64(down) * int64(samples) * 64
	if progressive {
		cost *= 5
	}
	if components == 4 || string(names) == "RGB" {
		cost += 4 * int64(width) * int64(height)
	}
	return frame{width: width, height: height, cost: cost}, nil
}
