// Package photo looks at the files that people send: what one is by its bytes and how large, what it shows without
// where and by whom it was taken, and a small picture of it. It believes nothing that a file says of itself: a length that
// lies, a count without end or a picture of a thousand megapixels is an error, never a panic and never much memory.
package photo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// A Type is what a file is, as a media type.
type Type string

// The types that are accepted. HEIC is HEIF whose pictures are HEVC.
const (
	JPEG Type = "image/jpeg"
	PNG  Type = "image/png"
	WebP Type = "image/webp"
	HEIC Type = "image/heic"
	HEIF Type = "image/heif"
	PDF  Type = "application/pdf"
)

// Is tells whether a file of type t may be sent as the media type claimed. HEIC and HEIF are one format, and phones
// say either of both.
func (t Type) Is(claimed string) bool {
	other := Type(claimed)
	return t == other || t.heif() && other.heif()
}

func (t Type) heif() bool { return t == HEIC || t == HEIF }

// MaxSide and MaxPixels bound a picture, in pixels. Today's phones take up to 50 megapixels.
const (
	MaxSide   = 16_384
	MaxPixels = 60_000_000
)

// What may be wrong with a file. All that this package finds wrong is one of these; any other error is the reader's or
// the writer's.
var (
	ErrType        = errors.New("not a file of an accepted type")
	ErrTruncated   = errors.New("the file ends too early")
	ErrMalformed   = errors.New("the file contradicts its type")
	ErrTooLarge    = errors.New("too many pixels")
	ErrNoThumbnail = errors.New("no thumbnail can be made of this file")
)

// An Info is what a file is. Width and Height are pixels as stored, before any rotation; a PDF has none.
type Info struct {
	Type          Type
	Width, Height int
}

// frame is what a format's header says of the picture in it. Cost is how many bytes decoding it allocates, or undecoded.
type frame struct {
	width, height int
	cost          int64
}

const undecoded = -1

func (f frame) check() error {
	switch {
	case f.width < 1 || f.height < 1:
		return fmt.Errorf("measure picture: %w", ErrMalformed)
	case f.width > MaxSide || f.height > MaxSide || f.width*f.height > MaxPixels:
		return fmt.Errorf("measure picture: %w", ErrTooLarge)
	}
	return nil
}

// Inspect says what the file of size bytes in r is, by its content. It decodes no picture, and of most files it reads the
// first 64 KiB and the last bytes only, so r may be an object in a bucket; a JPEG or PNG with something behind its end is
// read wholly: the caller bounds size. A file that lacks its end is ErrTruncated, one whose inside is not what its first bytes
// promise ErrMalformed, one beyond MaxSide or MaxPixels ErrTooLarge. What r answers otherwise is returned wrapped.
func Inspect(r io.ReaderAt, size int64) (Info, error) {
	s := &source{reader: r, size: size}
	t, err := detect(s)
	if err != nil {
		return Info{}, err
	}
	if t == PDF {
		return Info{Type: PDF}, inspectPDF(s)
	}
	f, err := measure(s, t)
	if err != nil {
		return Info{}, fmt.Errorf("inspect %s: %w", t, err)
	}
	return Info{Type: t, Width: f.width, Height: f.height}, nil
}

// detect names the type by the first bytes, as the WHATWG's MIME sniffing standard and so every browser does it; for
// ISO media by their brands.
func detect(s *source) (Type, error) {
	head, err := s.bytes(0, int(min(s.size, 512)))
	if err != nil {
		return "", err
	}
	if len(head) >= 12 && string(head[4:8]) == "ftyp" {
		return detectHEIF(s)
	}
	switch t := Type(http.DetectContentType(head)); t {
	case JPEG, PNG, WebP, PDF:
		return t, nil
	}
	return "", ErrType
}

// measure reads how large a picture is, and sees that it ends where it should and is not too large.
func measure(s *source, t Type) (f frame, err error) {
	switch t {
	case JPEG:
		f, err = measureJPEG(s)
	case PNG:
		f, err = measurePNG(s)
	case WebP:
		f, err = measureWebP(s)
	case HEIC, HEIF:
		f, err = measureHEIF(s)
	default:
		err = ErrType
	}
	if err != nil {
		return frame{}, err
	}
	return f, f.check()
}

// open measures a file in memory that is said to be of type t.
func open(s *source, t Type) (frame, error) {
	found, err := detect(s)
	if err != nil {
		return frame{}, err
	}
	if !found.Is(string(t)) {
		return frame{}, fmt.Errorf("compare types: %w", ErrMalformed)
	}
	return measure(s, t)
}

// inspectPDF looks for the end marker where ISO 32000 and its readers expect it, in the last 1,024 bytes.
func inspectPDF(s *source) error {
	n := min(s.size, 1024)
	tail, err := s.bytes(s.size-n, int(n))
	if err != nil {
		return err
	}
	if !bytes.Contains(tail, []byte("%%EOF")) {
		return fmt.Errorf("inspect %s: %w", PDF, ErrTruncated)
	}
	return nil
}

// Strip writes the picture src of type t to dst, without its location, camera, owner, comments, previews and whatever lies
// behind its end. The pixels are not encoded again; orientation and colour profile stay. PDF is ErrType: it has
// nothing to strip. After an error dst may hold a part.
func Strip(dst io.Writer, src []byte, t Type) error {
	s := inMemory(src)
	_, err := open(s, t)
	if err == nil {
		err = strip(dst, s, t)
	}
	if err != nil {
		return fmt.Errorf("strip %s: %w", t, err)
	}
	return nil
}

func strip(dst io.Writer, s *source, t Type) error {
	switch t {
	case JPEG:
		return stripJPEG(dst, s)
	case PNG:
		return stripPNG(dst, s)
	case WebP:
		return stripWebP(dst, s)
	case HEIC, HEIF:
		return stripHEIF(dst, s)
	}
	return ErrType
}
