package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// stripWebP keeps the pictures, with their transparency, animation and colour profile. The orientation, if there is one, goes
// into an EXIF chunk of its own.
func stripWebP(dst io.Writer, s *source) error {
	turned, err := webpOrientation(s)
	if err != nil {
		return err
	}
	var length counter // stands before the chunks
	if err := writeWebP(&writer{dst: &length}, s, turned); err != nil {
		return err
	}
	w := &writer{dst: dst}
	w.write([]byte("RIFF"))
	w.write(binary.LittleEndian.AppendUint32(nil, uint32(length)+4)) //nolint:gosec // at most 34 bytes more than the file has
	w.write([]byte("WEBP"))
	return writeWebP(w, s, turned)
}

func writeWebP(w *writer, s *source, turned int) error {
	walk, err := openWebP(s)
	if err != nil {
		return err
	}
	var extended bool
	pictures := 0
	for w.err == nil {
		found, err := walk.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		data, err := s.bytes(found.body, int(found.end-found.body))
		if err != nil {
			return err
		}
		switch found.kind {
		case "VP8X":
			if extended || len(data) != 10 {
				return fmt.Errorf("read canvas: %w", ErrMalformed)
			}
			extended = true
			data = bytes.Clone(data)
			data[0] &^= flagEXIF | flagXMP
			if turned != upright {
				data[0] |= flagEXIF
			}
			w.riffChunk(found.kind, data)
		case "ANMF":
			frame, err := webpAnimationFrame(s, found)
			if err != nil {
				return err
			}
			w.riffChunk(found.kind, frame)
		case "VP8 ", "VP8L":
			if pictures++; pictures == 1 { // readers ignore a second one
				w.riffChunk(found.kind, data)
			}
		case "ICCP", "ANIM", "ALPH":
			w.riffChunk(found.kind, data)
		}
	}
	if extended && turned != upright {
		w.riffChunk("EXIF", orientationBlock(turned))
	}
	return w.err
}

// webpAnimationFrame returns the data of an ANMF chunk: 16 bytes of place and time, and the chunks of its picture.
func webpAnimationFrame(s *source, found chunk) ([]byte, error) {
	if found.end-found.body < 16 {
		return nil, fmt.Errorf("read frame: %w", ErrMalformed)
	}
	head, err := s.bytes(found.body, 16)
	if err != nil {
		return nil, err
	}
	var frame bytes.Buffer
	w := &writer{dst: &frame}
	w.write(head)
	for walk := (&riffChunks{source: s, at: found.body + 16, end: found.end}); ; {
		part, err := walk.next()
		if errors.Is(err, io.EOF) {
			return frame.Bytes(), w.err
		}
		if err != nil {
			return nil, err
		}
		switch part.kind {
		case "ALPH", "VP8 ", "VP8L":
			data, err := s.bytes(part.body, int(part.end-part.body))
			if err != nil {
				return nil, err
			}
			w.riffChunk(part.kind, data)
		}
	}
}

// webpOrientation is what the EXIF chunk says. Only a file with a canvas may have one.
func webpOrientation(s *source) (int, error) {
	turned, extended := upright, false
	err := eachRIFFChunk(s, func(kind string, data []byte) {
		switch kind {
		case "VP8X":
			extended = true
		case "EXIF":
			turned = orientation(data)
		}
	})
	if !extended {
		turned = upright
	}
	return turned, err
}

func eachRIFFChunk(s *source, visit func(kind string, data []byte)) error {
	walk, err := openWebP(s)
	for err == nil {
		var found chunk
		if found, err = walk.next(); err != nil {
			break
		}
		var data []byte
		if data, err = s.bytes(found.body, int(found.end-found.body)); err == nil {
			visit(found.kind, data)
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(part []byte) (int, error) {
	*c += counter(len(part))
	return len(part), nil
}
