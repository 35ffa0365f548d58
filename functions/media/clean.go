package main

import (
	"bytes"
	"errors"
	"runtime/debug"

	"github.com/honeydue/backend/shared/photo"
)

// longerSide of a thumbnail, in pixels.
const longerSide = 512

// A picture is what may be seen of a photo.
type picture struct {
	kind      photo.Type
	clean     []byte
	thumbnail []byte // a JPEG; nil where none can be made
}

// A flawError is why a photo cannot be cleaned, as its row tells it.
type flawError string

const (
	errMissing       flawError = "missing"       // the bucket has no original
	errType          flawError = "type"          // it is not of the type that it was sent as
	errTruncated     flawError = "truncated"     // it ends too early
	errMalformed     flawError = "malformed"     // it contradicts its type
	errTooLarge      flawError = "too_large"     // it has too many bytes or pixels
	errUnprocessable flawError = "unprocessable" // whoever tries does not live to tell
)

func (f flawError) Error() string { return "photo cannot be cleaned: " + string(f) }

// clean makes a picture of a photo, original, that was sent as the media type claimed. A photo that cannot be cleaned is a
// [flawError]. While it decodes, it holds most of the memory that the process may have.
func clean(original []byte, claimed string) (_ picture, err error) {
	defer endPanic(&err)
	info, err := photo.Inspect(bytes.NewReader(original), int64(len(original)))
	if err != nil {
		return picture{}, flaw(err)
	}
	if !info.Type.Is(claimed) {
		return picture{}, errType
	}
	thumbnail, err := photo.Thumbnail(original, info.Type, longerSide)
	if err != nil && !errors.Is(err, photo.ErrNoThumbnail) {
		return picture{}, flaw(err)
	}
	// The decoded photo takes too much to keep it beside the clean one until the collector comes by.
	debug.FreeOSMemory()
	var stripped bytes.Buffer
	stripped.Grow(len(original))
	if err := photo.Strip(&stripped, original, info.Type); err != nil {
		return picture{}, flaw(err)
	}
	return picture{kind: info.Type, clean: stripped.Bytes(), thumbnail: thumbnail}, nil
}

// endPanic, deferred, makes a panic a flaw of the photo: what is in there was anybody's to choose.
func endPanic(err *error) {
	if recover() != nil {
		*err = errMalformed
	}
}

// flaw names what package photo finds wrong.
func flaw(err error) error {
	switch {
	case errors.Is(err, photo.ErrType):
		return errType
	case errors.Is(err, photo.ErrTruncated):
		return errTruncated
	case errors.Is(err, photo.ErrMalformed):
		return errMalformed
	case errors.Is(err, photo.ErrTooLarge):
		return errTooLarge
	}
	return err
}
