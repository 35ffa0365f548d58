package photo

import "fmt"

// item is a thing that meta lists: a picture, a tile of one, or something said about one.
type item struct {
	kind    string
	inside  bool   // its extents are of idat, inside meta; else of the file
	extents []span // nil until they are read
}

// picture tells whether an item shows something: those coded or derived that ISO/IEC 23008-12 names. Exif, XMP
// (mime) and everything unknown is none.
func (i *item) picture() bool {
	switch i.kind {
	case "hvc1", "hev1", "lhv1", "avc1", "av01", "vvc1", "jpeg", "j2k1", "unci", "grid", "iovl", "iden", "tmap":
		return true
	}
	return false
}

// meta is the metadata of a HEIF: its items, and the sizes that its properties give.
type meta struct {
	primary uint32
	items   map[uint32]*item
	sizes   []frame // of the properties, which are numbered from 1; zero where one gives none
	numbers []int   // of the properties of the primary picture
	idat    box
}

// readMeta reads the content of a meta box (ISO/IEC 14496-12, 8.11).
func readMeta(content []byte) (*meta, error) {
	if len(content) < 4 {
		return nil, fmt.Errorf("read metadata: %w", ErrMalformed)
	}
	boxes, err := boxesIn(content[4:])
	if err != nil {
		return nil, err
	}
	m := &meta{}
	seen := map[string]bool{}
	var locations, properties []byte
	for _, found := range boxes {
		if found.kind != "free" && seen[found.kind] {
			return nil, fmt.Errorf("count boxes: %w", ErrMalformed)
		}
		seen[found.kind] = true
		body := content[4:][found.body:found.end]
		switch found.kind {
		case "pitm":
			err = m.readPrimary(body)
		case "iinf":
			err = m.readItems(body)
		case "iloc":
			locations = body
		case "iprp":
			properties = body
		case "idat":
			m.idat = found
		}
		if err != nil {
			return nil, err
		}
	}
	if err := m.readProperties(properties); err != nil {
		return nil, err
	}
	if err := m.readLocations(locations); err != nil {
		return nil, err
	}
	if first := m.items[m.primary]; first == nil || !first.picture() {
		return nil, fmt.Errorf("find primary picture: %w", ErrMalformed)
	}
	return m, nil
}

func (m *meta) readPrimary(body []byte) error {
	c := cursor{rest: body}
	version := c.uint(1)
	c.take(3)
	m.primary = c.id(version > 0)
	return c.err()
}

// id reads the number of an item, of four bytes in later versions of a box.
func (c *cursor) id(long bool) uint32 {
	if long {
		return uint32(c.uint(4)) //nolint:gosec // four bytes
	}
	return uint32(c.uint(2)) //nolint:gosec // two bytes
}

// itemEntries splits iinf into its head, which ends with the count, and its entries.
func itemEntries(body []byte) (head []byte, entries []box, err error) {
	c := cursor{rest: body}
	size := 6
	if c.uint(1) > 0 {
		size = 8
	}
	if len(body) < size {
		return nil, nil, fmt.Errorf("read items: %w", ErrMalformed)
	}
	entries, err = boxesIn(body[size:])
	return body[:size], entries, err
}

// itemEntry reads infe, of version 2 or 3; before these, items had no type, and there was no HEIF. The kind ends at nameAt.
func itemEntry(body []byte) (id uint32, kind string, nameAt int, err error) {
	c := cursor{rest: body}
	version := c.uint(1)
	c.take(3)
	id = c.id(version == 3)
	c.take(2)
	kind = string(c.take(4))
	if c.short || version != 2 && version != 3 {
		return 0, "", 0, fmt.Errorf("read item: %w", ErrMalformed)
	}
	return id, kind, len(body) - len(c.rest), nil
}

func (m *meta) readItems(body []byte) error {
	head, entries, err := itemEntries(body)
	if err != nil {
		return err
	}
	m.items = make(map[uint32]*item, len(entries))
	for _, entry := range entries {
		if entry.kind != "infe" {
			return fmt.Errorf("read items: %w", ErrMalformed)
		}
		id, kind, _, err := itemEntry(body[len(head):][entry.body:entry.end])
		if err != nil {
			return err
		}
		if m.items[id] != nil {
			return fmt.Errorf("read item twice: %w", ErrMalformed)
		}
		m.items[id] = &item{kind: kind}
	}
	return nil
}

// pictureBytes returns where the bytes of all pictures are, in idat or in the file.
func (m *meta) pictureBytes(inside bool) []span {
	spans := make([]span, 0, len(m.items))
	for _, it := range m.items {
		if it.picture() && it.inside == inside {
			spans = append(spans, it.extents...)
		}
	}
	return spans
}
