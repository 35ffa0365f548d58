package photo

import "fmt"

// readProperties reads the sizes (ispe), and which properties the primary picture has.
func (m *meta) readProperties(body []byte) error {
	boxes, err := boxesIn(body)
	if err != nil {
		return err
	}
	for _, found := range boxes {
		part := body[found.body:found.end]
		switch found.kind {
		case "ipco":
			err = m.readSizes(part)
		case "ipma":
			err = m.readAssociations(part)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *meta) readSizes(body []byte) error {
	properties, err := boxesIn(body)
	if err != nil {
		return err
	}
	m.sizes = make([]frame, len(properties))
	for i, property := range properties {
		if property.kind != "ispe" {
			continue
		}
		c := cursor{rest: body[property.body:property.end]}
		c.take(4)
		f := frame{width: c.int(4), height: c.int(4), cost: undecoded}
		if err := c.err(); err != nil {
			return err
		}
		if err := f.check(); err != nil { // a tile that is too large is as bad
			return err
		}
		m.sizes[i] = f
	}
	return nil
}

func (m *meta) readAssociations(body []byte) error {
	c := cursor{rest: body}
	version := c.uint(1)
	flags := c.uint(3)
	count := c.uint(4)
	for ; count > 0 && !c.short; count-- {
		id, n := c.id(version > 0), c.int(1)
		for range n {
			number := c.int(1) & 0x7F
			if flags&1 == 1 {
				number = number<<8 | c.int(1)
			}
			if id == m.primary {
				m.numbers = append(m.numbers, number)
			}
		}
		if len(m.numbers) > maxItems {
			return fmt.Errorf("count properties: %w", ErrMalformed)
		}
	}
	return c.err()
}

// size is that of the primary picture.
func (m *meta) size() (frame, error) {
	for _, number := range m.numbers {
		if number > 0 && number <= len(m.sizes) && m.sizes[number-1].width > 0 {
			return m.sizes[number-1], nil
		}
	}
	return frame{}, fmt.Errorf("find size of picture: %w", ErrMalformed)
}
