package photo

import "fmt"

// location is an entry of iloc, and the bytes that it takes there.
type location struct {
	id       uint32
	inside   bool
	readable bool // in this file, as bytes of the file or of idat
	extents  []span
	entry    []byte
}

// locationEntries splits iloc into its head, up to the count, and its entries.
func locationEntries(body []byte) (head []byte, entries []location, err error) {
	c := cursor{rest: body}
	version := c.uint(1)
	c.take(3)
	sizes := c.int(2)
	offset, length, base, index := sizes>>12, sizes>>8&15, sizes>>4&15, sizes&15
	if version == 0 {
		index = 0
	}
	count := c.id(version == 2)
	head = body[:len(body)-len(c.rest)]
	if c.short || version > 2 || offset > 8 || length < 1 || length > 8 || base > 8 || index > 8 || count > maxItems {
		return nil, nil, fmt.Errorf("read locations: %w", ErrMalformed)
	}
	total := 0
	entries = make([]location, 0, count)
	for range count {
		before := c.rest
		found := location{id: c.id(version == 2)}
		method := uint64(0)
		if version > 0 {
			method = c.uint(2) & 15
		}
		reference := c.uint(2)
		found.inside, found.readable = method == 1, method <= 1 && reference == 0
		from := c.uint(base)
		extents := c.int(2)
		if total += extents; total > maxExtents {
			return nil, nil, fmt.Errorf("count extents: %w", ErrMalformed)
		}
		found.extents = make([]span, 0, extents)
		for range extents {
			c.take(index)
			start := from + c.uint(offset)
			size := c.uint(length)
			if c.short || from > maxOffset || start > maxOffset || size > maxOffset {
				return nil, nil, fmt.Errorf("read extent: %w", ErrMalformed)
			}
			found.extents = append(found.extents, span{int64(start), int64(start + size)})
		}
		if c.short {
			return nil, nil, fmt.Errorf("read location: %w", ErrMalformed)
		}
		found.entry = before[:len(before)-len(c.rest)]
		entries = append(entries, found)
	}
	return head, entries, nil
}

// maxOffset keeps sums of two offsets from wrapping round.
const maxOffset = 1 << 60

func (m *meta) readLocations(body []byte) error {
	_, entries, err := locationEntries(body)
	if err != nil {
		return err
	}
	for _, found := range entries {
		it := m.items[found.id]
		if it == nil || !it.picture() {
			continue
		}
		if it.extents != nil || !found.readable {
			return fmt.Errorf("read location of picture: %w", ErrMalformed)
		}
		it.inside, it.extents = found.inside, found.extents
		for _, part := range found.extents {
			if part.start == part.end || it.inside && part.end > m.idat.end-m.idat.body {
				return fmt.Errorf("read extent of picture: %w", ErrMalformed)
			}
		}
	}
	return nil
}
