package photo

import (
	"errors"
	"fmt"
	"io"
)

const windowSize = 64 << 10

// source is a file that is read by offset, through a window of 64 KiB or, in memory, one as large as the file.
type source struct {
	reader io.ReaderAt
	size   int64
	start  int64 // the offset of window in the file
	window []byte
}

func inMemory(data []byte) *source {
	return &source{size: int64(len(data)), window: data}
}

// bytes returns n bytes from offset, good until the next call; ErrTruncated where the file has fewer. The caller bounds n.
func (s *source) bytes(offset int64, n int) ([]byte, error) {
	if offset < 0 || n < 0 || offset > s.size-int64(n) {
		return nil, ErrTruncated
	}
	if offset < s.start || offset+int64(n) > s.start+int64(len(s.window)) {
		if err := s.move(offset, n); err != nil {
			return nil, err
		}
	}
	return s.window[offset-s.start:][:n:n], nil
}

// from returns what the window holds from offset on, n bytes or more.
func (s *source) from(offset int64, n int) ([]byte, error) {
	if _, err := s.bytes(offset, n); err != nil {
		return nil, err
	}
	return s.window[offset-s.start:], nil
}

func (s *source) move(offset int64, n int) error {
	length := int(min(max(int64(n), windowSize), s.size-offset))
	if cap(s.window) < length {
		s.window = make([]byte, length)
	}
	s.start, s.window = offset, s.window[:length]
	read, err := s.reader.ReadAt(s.window, offset)
	if read == length {
		return nil
	}
	s.window = s.window[:0]
	if err == nil || errors.Is(err, io.EOF) {
		return ErrTruncated
	}
	return fmt.Errorf("read file: %w", err)
}

// cursor reads big-endian fields of a part that is in memory. Once a field is missing, it is and stays short, and all
// fields are zero.
type cursor struct {
	rest  []byte
	short bool
}

func (c *cursor) take(n int) []byte {
	if c.short || n < 0 || n > len(c.rest) {
		c.short = true
		return nil
	}
	taken := c.rest[:n:n]
	c.rest = c.rest[n:]
	return taken
}

// uint reads n bytes, at most 8.
func (c *cursor) uint(n int) uint64 {
	var value uint64
	for _, b := range c.take(n) {
		value = value<<8 | uint64(b)
	}
	return value
}

func (c *cursor) int(n int) int { return int(c.uint(n)) } //nolint:gosec // used for fields of at most four bytes

func (c *cursor) err() error {
	if c.short {
		return ErrMalformed
	}
	return nil
}
