package main

import (
	"bytes"
	"compress/gzip"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// packed holds what TestPacked has compressed: <hashed name>.br and <hashed name>.gz. A file that has changed since finds
// nothing there, so that nobody ever gets an old body.
//
//go:embed packed
var packed embed.FS

// packedForms returns the compressed forms of a text, smallest first, and none of what gets no smaller. A page that is
// rendered with settings that no overlay has is compressed here, as well as the standard library can.
func packedForms(hashedName, contentType string, body []byte) ([]form, error) {
	if !compressible(contentType) {
		return nil, nil
	}
	var forms []form
	for _, c := range []struct{ coding, ending string }{{"br", ".br"}, {"gzip", ".gz"}} {
		content, err := packed.ReadFile("packed/" + hashedName + c.ending)
		switch {
		case err == nil:
			forms = append(forms, form{coding: c.coding, body: content})
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("read packed %s: %w", hashedName, err)
		}
	}
	if len(forms) > 0 {
		return forms, nil
	}
	small, err := gzipped(body)
	if err != nil {
		return nil, fmt.Errorf("pack %s: %w", hashedName, err)
	}
	if len(small) >= len(body) {
		return nil, nil
	}
	return []form{{coding: "gzip", body: small}}, nil
}

func compressible(contentType string) bool {
	return strings.HasPrefix(contentType, "text/") || strings.HasPrefix(contentType, "application/") || contentType == "image/svg+xml"
}

func gzipped(body []byte) ([]byte, error) {
	var small bytes.Buffer
	w, err := gzip.NewWriterLevel(&small, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return small.Bytes(), nil
}
