package main

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// packed is a body as it is kept and mostly sent: gzip, about a tenth of what it was. The fastest level takes most of that.
type packed []byte

// A packer packs with compressors that it keeps: making one takes longer than packing a board with it. The zero value is ready.
type packer struct{ kept sync.Pool }

func (p *packer) pack(body []byte) (packed, error) {
	var to bytes.Buffer
	zip, ok := p.kept.Get().(*gzip.Writer)
	if ok {
		zip.Reset(&to)
	} else {
		var err error
		if zip, err = gzip.NewWriterLevel(&to, gzip.BestSpeed); err != nil {
			return nil, fmt.Errorf("pack: %w", err)
		}
	}
	defer p.kept.Put(zip)
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
