package photo

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
)

// stripPNG keeps the chunks that draw the picture, those that say what its colours are, and the frames of an animation
// (PNG, third edition, 11.3). The profile's name, which is free text, is replaced.
func stripPNG(dst io.Writer, s *source) error {
	turned, err := pngOrientation(s)
	if err != nil {
		return err
	}
	walk, err := openPNG(s)
	if err != nil {
		return err
	}
	w := &writer{dst: dst}
	w.write([]byte(pngSignature))
	for w.err == nil {
		found, err := walk.next()
		if err != nil {
			return err
		}
		keep, err := keepChunk(found.kind)
		if err != nil {
			return err
		}
		if !keep {
			continue
		}
		whole, err := s.bytes(found.body-4, int(found.end-found.body)+8)
		if err != nil {
			return err
		}
		text, sum := whole[:len(whole)-4], whole[len(whole)-4:]
		if crc32.ChecksumIEEE(text) != binary.BigEndian.Uint32(sum) {
			return fmt.Errorf("check sum of chunk: %w", ErrMalformed)
		}
		if found.kind == "iCCP" {
			if _, profile, ok := bytes.Cut(text[4:], []byte{0}); ok {
				w.pngChunk("iCCP", append([]byte("ICC\x00"), profile...))
			}
			continue
		}
		w.copy(s, found.body-8, found.end+4)
		switch {
		case found.kind == "IEND":
			return w.err
		case found.kind == "IHDR" && turned != upright:
			w.pngChunk("eXIf", orientationBlock(turned))
		}
	}
	return w.err
}

// keepChunk tells whether a chunk shows the picture. One that is critical and unknown makes it unreadable.
func keepChunk(kind string) (bool, error) {
	switch kind {
	case "IHDR", "PLTE", "IDAT", "IEND", "tRNS",
		"gAMA", "cHRM", "sRGB", "iCCP", "cICP", "mDCV", "cLLI", "sBIT", "pHYs",
		"acTL", "fcTL", "fdAT":
		return true, nil
	}
	if ancillary := kind[0]&0x20 != 0; !ancillary {
		return false, fmt.Errorf("read critical chunk: %w", ErrMalformed)
	}
	return false, nil
}

// pngOrientation is what the EXIF chunk says, wherever it stands.
func pngOrientation(s *source) (int, error) {
	turned := upright
	err := eachChunk(s, func(kind string, data []byte) {
		if kind == "eXIf" {
			turned = orientation(data)
		}
	})
	return turned, err
}

func eachChunk(s *source, visit func(kind string, data []byte)) error {
	walk, err := openPNG(s)
	for err == nil {
		var found chunk
		if found, err = walk.next(); err != nil || found.kind == "IEND" {
			return err
		}
		var data []byte
		if data, err = s.bytes(found.body, int(found.end-found.body)); err == nil {
			visit(found.kind, data)
		}
	}
	return err
}
