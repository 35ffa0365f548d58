package photo

import (
	"encoding/binary"
	"fmt"
)

const (
	pngSignature = "\x89PNG\r\n\x1a\n"
	pngEnd       = "\x00\x00\x00\x00IEND\xaeB`\x82"
)

// chunk is one chunk of a PNG: four bytes of length, its kind, its data from body to end, and a checksum.
type chunk struct {
	kind      string
	body, end int64
}

// chunks walks a PNG.
type chunks struct {
	*source
	at int64
}

func openPNG(s *source) (*chunks, error) {
	head, err := s.bytes(0, len(pngSignature))
	if err == nil && string(head) != pngSignature {
		err = fmt.Errorf("read signature: %w", ErrMalformed)
	}
	return &chunks{source: s, at: int64(len(pngSignature))}, err
}

func (c *chunks) next() (chunk, error) {
	head, err := c.bytes(c.at, 8)
	if err != nil {
		return chunk{}, err
	}
	length := int64(binary.BigEndian.Uint32(head))
	found := chunk{kind: string(head[4:]), body: c.at + 8, end: c.at + 8 + length}
	if c.at == int64(len(pngSignature)) && (found.kind != "IHDR" || length != 13) {
		return chunk{}, fmt.Errorf("find header: %w", ErrMalformed)
	}
	if found.end+4 > c.size {
		return chunk{}, ErrTruncated
	}
	c.at = found.end + 4
	return found, nil
}

// measurePNG reads the header, and on to the end unless the file ends with an end chunk.
func measurePNG(s *source) (frame, error) {
	walk, err := openPNG(s)
	if err != nil {
		return frame{}, err
	}
	found, err := walk.next()
	if err != nil {
		return frame{}, err
	}
	header, err := s.bytes(found.body, 13)
	if err != nil {
		return frame{}, err
	}
	f, err := pngFrame(header)
	if err != nil {
		return frame{}, err
	}
	if err := f.check(); err != nil {
		return frame{}, err
	}
	tail, err := s.bytes(s.size-int64(len(pngEnd)), len(pngEnd))
	for err == nil && string(tail) != pngEnd && found.kind != "IEND" {
		found, err = walk.next()
	}
	return f, err
}

// pngFrame reads IHDR. Decoding takes four bytes a pixel, eight for samples of 16 bits, and for an interlaced
// picture its passes besides.
func pngFrame(header []byte) (frame, error) {
	c := cursor{rest: header}
	width, height, depth := c.uint(4), c.uint(4), c.uint(1)
	c.take(3)
	interlaced := c.uint(1)
	if c.short || width > 1<<31-1 || height > 1<<31-1 || interlaced > 1 {
		return frame{}, fmt.Errorf("read header: %w", ErrMalformed)
	}
	f := frame{width: int(width), height: int(height)}
	f.cost = int64(min(f.width, MaxSide+1)) * int64(min(f.height, MaxSide+1)) * 4
	if depth == 16 {
		f.cost *= 2
	}
	if interlaced == 1 {
		f.cost *= 2
	}
	return f, nil
}
