package photo

import (
	"bytes"
	"encoding/binary"
	"io"
)

// stripHEIF writes the file anew at the same offsets: its brands, the metadata about pictures, and the bytes that pictures
// consist of. All else is zero: Exif and XMP, films and sound beside the picture, and what no item refers to. What lies behind
// the last of these is not written at all.
func stripHEIF(dst io.Writer, s *source) error {
	l, err := readLayout(s)
	if err != nil {
		return err
	}
	m, err := readMeta(l.content)
	if err != nil {
		return err
	}
	spans, err := l.place(m)
	if err != nil {
		return err
	}
	content, err := m.rebuild(bytes.Clone(l.content))
	if err != nil {
		return err
	}
	end := l.boxes[0].end
	for _, found := range l.boxes {
		if found.kind == "meta" || found.holds(spans) {
			end = found.end
		}
	}
	out := make([]byte, end)
	for i, found := range l.boxes {
		switch {
		case found.start >= end:
		case i == 0:
			copy(out, s.window[:found.end])
		case found.kind == "meta":
			copy(out[found.start:], s.window[found.start:found.body])
			copy(out[found.body:], content)
		case found.holds(spans):
			copy(out[found.start:], s.window[found.start:found.body])
		default:
			appendBox(out[:found.start], "free", out[found.start+8:found.end])
		}
	}
	for _, part := range spans {
		copy(out[part.start:], s.window[part.start:part.end])
	}
	w := &writer{dst: dst}
	w.write(out)
	return w.err
}

func (b box) holds(spans []span) bool {
	for _, part := range spans {
		if b.start <= part.start && part.end <= b.end {
			return true
		}
	}
	return false
}

// appendBox appends a box that consists of parts.
func appendBox(out []byte, kind string, parts ...[]byte) []byte {
	start := len(out)
	out = append(out, 0, 0, 0, 0)
	out = append(out, kind...)
	for _, part := range parts {
		out = append(out, part...)
	}
	binary.BigEndian.PutUint32(out[start:], uint32(len(out)-start)) //nolint:gosec // smaller than the file
	return out
}
