package photo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Flags in the first byte of VP8X (RFC 9649, 2.7.1).
const (
	flagXMP       = 1 << 2
	flagEXIF      = 1 << 3
	flagAnimation = 1 << 1
)

const riffHeader = 12

// riffChunks walks the chunks of a WebP, or of one frame of an animation, up to end.
type riffChunks struct {
	*source
	at, end int64
}

func openWebP(s *source) (*riffChunks, error) {
	head, err := s.bytes(0, riffHeader+4)
	if err != nil {
		return nil, err
	}
	first := string(head[riffHeader:])
	length := int64(binary.LittleEndian.Uint32(head[4:]))
	switch {
	case string(head[:4]) != "RIFF" || string(head[8:12]) != "WEBP" || length < 4,
		first != "VP8 " && first != "VP8L" && first != "VP8X":
		return nil, fmt.Errorf("read header: %w", ErrMalformed)
	case 8+length > s.size:
		return nil, ErrTruncated
	}
	return &riffChunks{source: s, at: riffHeader, end: 8 + length}, nil
}

// next returns the chunk at hand, or io.EOF behind the last.
func (c *riffChunks) next() (chunk, error) {
	if c.at >= c.end {
		return chunk{}, io.EOF
	}
	head, err := c.bytes(c.at, 8)
	if err != nil {
		return chunk{}, err
	}
	length := int64(binary.LittleEndian.Uint32(head[4:]))
	found := chunk{kind: string(head[:4]), body: c.at + 8, end: c.at + 8 + length}
	if found.end > c.end {
		return chunk{}, fmt.Errorf("read length of chunk: %w", ErrMalformed)
	}
	c.at = found.end + length%2
	return found, nil
}

// measureWebP reads to the first picture. A still picture is as large as the canvas of VP8X; a frame of an animation lies
// within it.
func measureWebP(s *source) (frame, error) {
	walk, err := openWebP(s)
	if err != nil {
		return frame{}, err
	}
	var canvas frame
	var animated, transparent bool
	for {
		found, err := walk.next()
		if errors.Is(err, io.EOF) {
			return frame{}, fmt.Errorf("find picture: %w", ErrMalformed)
		}
		if err != nil {
			return frame{}, err
		}
		data, err := s.bytes(found.body, int(min(found.end-found.body, 16)))
		if err != nil {
			return frame{}, err
		}
		switch found.kind {
		case "VP8X":
			if found.body != riffHeader+8 || len(data) < 10 {
				return frame{}, fmt.Errorf("read canvas: %w", ErrMalformed)
			}
			canvas = frame{width: 1 + uint24(data[4:]), height: 1 + uint24(data[7:]), cost: undecoded}
			animated = data[0]&flagAnimation != 0
		case "ANMF":
			if !animated {
				return frame{}, fmt.Errorf("read frame: %w", ErrMalformed)
			}
			return canvas, nil
		case "ALPH":
			transparent = true
		case "VP8 ", "VP8L":
			f, err := webpFrame(found.kind, data)
			if err != nil {
				return frame{}, err
			}
			if canvas.width != 0 && (animated || f.width != canvas.width || f.height != canvas.height) {
				return frame{}, fmt.Errorf("compare frame and canvas: %w", ErrMalformed)
			}
			if transparent {
				f.cost = undecoded
			}
			if f.cost != undecoded {
				f.cost += s.size // the decoder reads all of the data first
			}
			return f, nil
		}
	}
}

// webpFrame reads the header of a lossy (RFC 6386, 9.1) or lossless (RFC 9649, 3.4) picture. Decoding a lossy one takes 1.5
// bytes a pixel. What a lossless one takes, and so does compressed transparency, depends on tables that a small
// file can make very large; it is not decoded.
func webpFrame(kind string, data []byte) (frame, error) {
	if kind == "VP8L" {
		if len(data) < 5 || data[0] != 0x2F {
			return frame{}, fmt.Errorf("read lossless header: %w", ErrMalformed)
		}
		bits := binary.LittleEndian.Uint32(data[1:])
		return frame{width: 1 + int(bits&0x3FFF), height: 1 + int(bits>>14&0x3FFF), cost: undecoded}, nil
	}
	if len(data) < 10 || data[0]&1 != 0 || data[3] != 0x9D || data[4] != 0x01 || data[5] != 0x2A {
		return frame{}, fmt.Errorf("read lossy header: %w", ErrMalformed)
	}
	f := frame{
		width:  int(binary.LittleEndian.Uint16(data[6:]) & 0x3FFF),
		height: int(binary.LittleEndian.Uint16(data[8:]) & 0x3FFF),
	}
	f.cost = int64(f.width+16) * int64(f.height+16) * 2
	return f, nil
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
