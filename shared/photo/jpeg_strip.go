package photo

import (
	"bytes"
	"io"
)

// stripJPEG keeps what decodes the picture, and of the application segments JFIF, the colour profile and Adobe's colour
// transform. It drops all others, comments, and what follows the end: phones append films there, with their location.
func stripJPEG(dst io.Writer, s *source) error {
	turned, err := jpegOrientation(s)
	if err != nil {
		return err
	}
	walk, err := openJPEG(s)
	if err != nil {
		return err
	}
	w := &writer{dst: dst}
	w.write([]byte{0xFF, markerSOI})
	for w.err == nil {
		found, err := walk.next()
		if err != nil {
			return err
		}
		if found.marker != markerAPP0 && turned != upright {
			w.segment(markerAPP1, []byte(exifHeader), orientationBlock(turned))
			turned = upright
		}
		payload, err := walk.payload(found)
		if err != nil {
			return err
		}
		switch {
		case found.marker == markerEOI:
			w.write([]byte{0xFF, markerEOI})
			return w.err
		case found.marker == markerSOS:
			if err := walk.skipScan(); err != nil {
				return err
			}
			w.copy(s, found.start, walk.at)
		case found.marker == markerAPP0:
			if bytes.HasPrefix(payload, []byte(jfifHeader)) && len(payload) >= 14 {
				w.segment(markerAPP0, payload[:12], []byte{0, 0}) // 0 by 0: without its preview
			}
		case found.marker == markerAPP14:
			if bytes.HasPrefix(payload, []byte(adobeHeader)) && len(payload) >= 12 {
				w.segment(markerAPP14, payload[:12])
			}
		case found.marker == markerAPP2 && bytes.HasPrefix(payload, []byte(iccHeader)):
			w.segment(markerAPP2, payload)
		case found.marker >= markerAPP0 && found.marker <= markerAPP15 || found.marker == markerCOM:
		default:
			w.segment(found.marker, payload)
		}
	}
	return w.err
}

// jpegOrientation is what the first EXIF block before the picture says.
func jpegOrientation(s *source) (int, error) {
	turned := 0
	err := eachHeader(s, func(marker byte, payload []byte) {
		if block, ok := bytes.CutPrefix(payload, []byte(exifHeader)); ok && marker == markerAPP1 && turned == 0 {
			turned = orientation(block)
		}
	})
	return max(turned, upright), err
}

// eachHeader calls visit with every segment before the first scan.
func eachHeader(s *source, visit func(marker byte, payload []byte)) error {
	walk, err := openJPEG(s)
	for err == nil {
		var found segment
		if found, err = walk.next(); err != nil || found.marker == markerSOS {
			return err
		}
		var payload []byte
		if payload, err = walk.payload(found); err == nil {
			visit(found.marker, payload)
		}
	}
	return err
}
