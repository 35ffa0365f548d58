package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
)

// packed is a body as it is kept and mostly sent: gzip, about a tenth of what it was. The fastest level takes most of that.
type packed []byte

func pack(body []byte) (packed, error) {
	var to bytes.Buffer
	zip, err := gzip.NewWriterLevel(&to, gzip.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	if _, err := zip.Write(body); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	if err := zip.Close(); err != nil {
		return nil, fmt.Errorf("pack: %w", err)
	}
	return to.Bytes(), nil
}

func (p packed) unpack() ([]byte, error) {
	zip, err := gzip.NewReader(bytes.NewReader(p))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	body, err := io.ReadAll(zip)
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	return body, nil
}
