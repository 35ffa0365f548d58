package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// A reader is an operator's browser.
type reader struct{ url, cookie string }

// A result is how long a page takes, and how long it is.
type result struct {
	p50, p95 time.Duration
	bytes    int
}

// measure reads a page again and again. Connections are opened by a read before.
func (r reader) measure(ctx context.Context, path string) (result, error) {
	var of result
	times := make([]time.Duration, reads+1)
	for i := range times {
		var err error
		if times[i], of.bytes, err = r.read(ctx, path); err != nil {
			return of, err
		}
	}
	times = times[1:]
	slices.Sort(times)
	of.p50, of.p95 = times[reads/2], times[reads*95/100]
	return of, nil
}

// read returns how long a page took, to its last byte, and how many there are.
func (r reader) read(ctx context.Context, path string) (took time.Duration, size int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+path, http.NoBody)
	if err != nil {
		return 0, 0, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Cookie", "__Host-admin="+r.cookie)
	began := time.Now()
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0, 0, fmt.Errorf("read page: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	took = time.Since(began)
	if err != nil || res.StatusCode != http.StatusOK {
		return 0, 0, errors.Join(err, fmt.Errorf("answered %d", res.StatusCode))
	}
	return took, len(body), nil
}
