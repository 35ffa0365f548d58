package photo

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Bounds of a HEIF's structure, which keep what is held of any file below 2 MiB. A picture of 48 megapixels has about 200 tiles,
// each an item of one extent, and some 20 KiB of metadata.
const (
	maxBoxes   = 1 << 10
	maxMeta    = 512 << 10
	maxItems   = 1 << 11
	maxExtents = 1 << 11
)

// box is a box of ISO/IEC 14496-12, 4.2: its offsets are of the file, or of the part that it was found in.
type box struct {
	kind             string
	start, body, end int64
}

// nextBox reads the header of the box at offset. A box of size 0 goes on to limit.
func nextBox(s *source, offset, limit int64) (box, error) {
	head, err := s.bytes(offset, 8)
	if err != nil {
		return box{}, err
	}
	size, found := uint64(binary.BigEndian.Uint32(head)), box{kind: string(head[4:]), start: offset, body: offset + 8}
	switch size {
	case 0:
		size = uint64(limit - offset) //nolint:gosec // offset is below limit
	case 1:
		if head, err = s.bytes(offset+8, 8); err != nil {
			return box{}, err
		}
		size, found.body = binary.BigEndian.Uint64(head), offset+16
	}
	if size < uint64(found.body-offset) { //nolint:gosec // 8 or 16
		return box{}, fmt.Errorf("read size of box: %w", ErrMalformed)
	}
	if size > uint64(limit-offset) { //nolint:gosec // offset is below limit
		return box{}, ErrTruncated
	}
	found.end = offset + int64(size) //nolint:gosec // at most limit
	return found, nil
}

// boxesIn lists the boxes that fill a part that is in memory.
func boxesIn(part []byte) ([]box, error) {
	s := inMemory(part)
	var boxes []box
	for at := int64(0); at < s.size; {
		found, err := nextBox(s, at, s.size)
		if err != nil || len(boxes) == maxItems {
			return nil, fmt.Errorf("read boxes: %w", ErrMalformed)
		}
		boxes = append(boxes, found)
		at = found.end
	}
	return boxes, nil
}

// detectHEIF tells by the brands of ftyp: those of ISO/IEC 23008-12, annex B, and not AVIF, which is HEIF with AV1 inside.
// Of a file that is an image sequence too, its still picture is what counts; one without is malformed.
func detectHEIF(s *source) (Type, error) {
	found, err := nextBox(s, 0, s.size)
	if err != nil {
		return "", err
	}
	if length := found.end - found.body; length < 8 || length > 1024 || length%4 != 0 {
		return "", fmt.Errorf("read brands: %w", ErrMalformed)
	}
	brands, err := s.bytes(found.body, int(found.end-found.body))
	if err != nil {
		return "", err
	}
	answer, foreign := Type(""), false
	for i := 0; i < len(brands); i += 4 {
		if i == 4 { // the minor version
			continue
		}
		switch string(brands[i : i+4]) {
		case "heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs":
			answer = HEIC
		case "mif1", "mif2", "msf1":
			if answer == "" {
				answer = HEIF
			}
		case "avif", "avis":
			foreign = true
		}
	}
	if answer == "" || answer == HEIF && foreign {
		return "", ErrType
	}
	return answer, nil
}

// layout is where the parts of a HEIF are: its boxes up to the last that can be read, and the one meta among them.
type layout struct {
	boxes   []box
	meta    box
	content []byte // of meta, good until the source moves on
}

// readLayout reads the boxes of the file. What follows them need not be boxes: phones append things.
func readLayout(s *source) (layout, error) {
	var l layout
	for at := int64(0); at < s.size && len(l.boxes) < maxBoxes; {
		found, err := nextBox(s, at, s.size)
		if errors.Is(err, ErrTruncated) || errors.Is(err, ErrMalformed) {
			break
		}
		if err != nil {
			return layout{}, err
		}
		if found.kind == "meta" {
			if l.meta.kind != "" || found.end-found.body > maxMeta {
				return layout{}, fmt.Errorf("find metadata: %w", ErrMalformed)
			}
			l.meta = found
		}
		l.boxes = append(l.boxes, found)
		at = found.end
	}
	if l.meta.kind == "" {
		return layout{}, fmt.Errorf("find metadata: %w", ErrTruncated)
	}
	var err error
	l.content, err = s.bytes(l.meta.body, int(l.meta.end-l.meta.body))
	return l, err
}

// span is a run of bytes.
type span struct{ start, end int64 }

// merge sorts spans and joins those that touch, so that what overlaps is copied once.
func merge(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	merged := spans[:0]
	for _, next := range spans {
		if last := len(merged) - 1; last >= 0 && next.start <= merged[last].end {
			merged[last].end = max(merged[last].end, next.end)
			continue
		}
		merged = append(merged, next)
	}
	return merged
}

// measureHEIF reads how large the primary picture is, and sees that all its parts are there. There is no decoder that
// is kept and needs no C, so it is never decoded here.
func measureHEIF(s *source) (frame, error) {
	l, err := readLayout(s)
	if err != nil {
		return frame{}, err
	}
	m, err := readMeta(l.content)
	if err != nil {
		return frame{}, err
	}
	if _, err := l.place(m); err != nil {
		return frame{}, err
	}
	return m.size()
}

// place returns where in the file the bytes of its pictures are; every one must be inside a box of media data.
func (l layout) place(m *meta) ([]span, error) {
	var media []span
	for _, found := range l.boxes {
		if found.kind == "mdat" {
			media = append(media, span{found.body, found.end})
		}
	}
	spans := merge(m.pictureBytes(false))
	for _, part := range spans {
		i, _ := slices.BinarySearchFunc(media, part.start, func(data span, at int64) int {
			if data.end <= at {
				return -1
			}
			return 1
		})
		switch {
		case i == len(media):
			return nil, fmt.Errorf("find picture: %w", ErrTruncated)
		case part.start < media[i].start || part.end > media[i].end:
			return nil, fmt.Errorf("find picture: %w", ErrMalformed)
		}
	}
	return spans, nil
}
