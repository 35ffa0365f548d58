package photo

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
)

// writer writes the parts of a file. The first error stays, and ends all writing.
type writer struct {
	dst io.Writer
	err error
}

func (w *writer) write(part []byte) {
	if w.err != nil {
		return
	}
	if _, err := w.dst.Write(part); err != nil {
		w.err = fmt.Errorf("write file: %w", err)
	}
}

// copy writes what s, which is in memory, holds from start to end.
func (w *writer) copy(s *source, start, end int64) {
	part, err := s.bytes(start, int(end-start))
	if err != nil && w.err == nil {
		w.err = err
	}
	w.write(part)
}

// segment writes a marker segment of a JPEG; its payload is known to fit 65,533 bytes.
func (w *writer) segment(marker byte, payload ...[]byte) {
	length := 2
	for _, part := range payload {
		length += len(part)
	}
	w.write(binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(length)))
	for _, part := range payload {
		w.write(part)
	}
}

// pngChunk writes a chunk of a PNG.
func (w *writer) pngChunk(kind string, data []byte) {
	body := append([]byte(kind), data...)
	w.write(binary.BigEndian.AppendUint32(nil, uint32(len(data)))) //nolint:gosec // the data of a chunk
	w.write(binary.BigEndian.AppendUint32(body, crc32.ChecksumIEEE(body)))
}

// riffChunk writes a chunk of a WebP.
func (w *writer) riffChunk(kind string, data []byte) {
	w.write(binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(data)))) //nolint:gosec // the data of a chunk
	w.write(data)
	if len(data)%2 == 1 {
		w.write([]byte{0})
	}
}
