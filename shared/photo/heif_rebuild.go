package photo

import (
	"encoding/binary"
	"fmt"
)

// shows tells whether the item with that number is a picture.
func (m *meta) shows(id uint32) bool {
	it := m.items[id]
	return it != nil && it.picture()
}

// rebuild returns the content of meta with its pictures alone, as long as before: nothing that follows moves.
func (m *meta) rebuild(content []byte) ([]byte, error) {
	boxes, err := boxesIn(content[4:])
	if err != nil {
		return nil, err
	}
	out := append(make([]byte, 0, len(content)), content[:4]...)
	for _, found := range boxes {
		body := content[4:][found.body:found.end]
		switch found.kind {
		case "hdlr":
			clear(body[min(24, len(body)):]) // its name, free text
		case "pitm", "dinf", "grpl":
		case "iinf":
			body, err = m.rebuildItems(body)
		case "iloc":
			body, err = m.rebuildLocations(body)
		case "iref":
			body, err = m.rebuildReferences(body)
		case "iprp":
			err = blankProperties(body)
		case "idat":
			body = blankOutside(body, merge(m.pictureBytes(true)))
		default:
			continue
		}
		if err != nil {
			return nil, err
		}
		if body != nil {
			out = appendBox(out, found.kind, body)
		}
	}
	switch spare := len(content) - len(out); {
	case spare == 0:
		return out, nil
	case spare >= 8:
		return appendBox(out, "free", make([]byte, spare-8)), nil
	}
	return nil, fmt.Errorf("rebuild metadata: %w", ErrMalformed)
}

func (m *meta) rebuildItems(body []byte) ([]byte, error) {
	head, entries, err := itemEntries(body)
	if err != nil {
		return nil, err
	}
	out, count := append([]byte(nil), head...), 0
	for _, entry := range entries {
		infe := body[len(head):][entry.body:entry.end]
		id, _, nameAt, err := itemEntry(infe)
		if err != nil {
			return nil, err
		}
		if m.shows(id) {
			clear(infe[nameAt:]) // its name, free text
			out = appendBox(out, entry.kind, infe)
			count++
		}
	}
	putCount(out[4:len(head)], count)
	return out, nil
}

func (m *meta) rebuildLocations(body []byte) ([]byte, error) {
	head, entries, err := locationEntries(body)
	if err != nil {
		return nil, err
	}
	out, count := append([]byte(nil), head...), 0
	for _, found := range entries {
		if m.shows(found.id) {
			out = append(out, found.entry...)
			count++
		}
	}
	putCount(out[6:len(head)], count)
	return out, nil
}

// putCount writes a count into a field of two or four bytes, which held a larger one.
func putCount(field []byte, count int) {
	if len(field) == 2 {
		binary.BigEndian.PutUint16(field, uint16(count)) //nolint:gosec // see above
		return
	}
	binary.BigEndian.PutUint32(field, uint32(count)) //nolint:gosec // see above
}

// rebuildReferences keeps those from pictures to pictures; nil if there are none.
func (m *meta) rebuildReferences(body []byte) ([]byte, error) {
	if len(body) < 4 {
		return nil, fmt.Errorf("read references: %w", ErrMalformed)
	}
	long := body[0] > 0
	out := append([]byte(nil), body[:4]...)
	boxes, err := boxesIn(body[4:])
	if err != nil {
		return nil, err
	}
	for _, found := range boxes {
		c := cursor{rest: body[4:][found.body:found.end]}
		before := c.rest
		from := c.id(long)
		head := append([]byte(nil), before[:len(before)-len(c.rest)]...)
		var to []byte
		kept := 0
		for range c.int(2) {
			before := c.rest
			if id := c.id(long); m.shows(id) && !c.short {
				to = append(to, before[:len(before)-len(c.rest)]...)
				kept++
			}
		}
		if err := c.err(); err != nil {
			return nil, err
		}
		if kept > 0 && m.shows(from) {
			head = append(head, 0, 0)
			putCount(head[len(head)-2:], kept)
			out = appendBox(out, found.kind, head, to)
		}
	}
	if len(out) == 4 {
		return nil, nil
	}
	return out, nil
}

// blankProperties makes free space of the properties that are not needed to show a picture, such as descriptions, dates and
// the camera's position; the others are referred to by their place, which stays.
func blankProperties(body []byte) error {
	boxes, err := boxesIn(body)
	if err != nil {
		return err
	}
	for _, found := range boxes {
		if found.kind == "ipma" {
			continue
		}
		part := body[found.body:found.end]
		if found.kind != "ipco" {
			blank(body[found.start:found.end], found)
			continue
		}
		properties, err := boxesIn(part)
		if err != nil {
			return err
		}
		for _, property := range properties {
			if !showsProperty(property.kind) {
				blank(part[property.start:property.end], property)
			}
		}
	}
	return nil
}

func blank(whole []byte, found box) {
	copy(whole[4:], "free")
	clear(whole[found.body-found.start:])
}

func showsProperty(kind string) bool {
	switch kind {
	case "hvcC", "lhvC", "avcC", "av1C", "vvcC", "jpgC", "j2kH", "uncC", "cmpd", // how it is coded
		"ispe", "pixi", "pasp", "clap", "irot", "imir", "rloc", "lsel", "oinf", "tols", "a1op", "a1lx", // its shape
		"colr", "clli", "mdcv", "cclv", "amve", "auxC": // its colours, and what an auxiliary picture is for
		return true
	}
	return false
}

// blankOutside returns body with zeros wherever no span lies.
func blankOutside(body []byte, spans []span) []byte {
	out := make([]byte, len(body))
	for _, part := range spans {
		copy(out[part.start:part.end], body[part.start:part.end])
	}
	return out
}
