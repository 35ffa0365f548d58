package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/honeydue/backend/tests/bench/turns"
)

// callers is how many ask at once, as many as beside the other limits. Each asks again as soon as it is answered.
const callers = 4

// A call is what is asked, by whichever way.
type call struct {
	path   string
	header http.Header
	empty  bool // the answer has no body
}

// A run is what one way did in its time, and took of each part of the system.
type run struct {
	turns.Run
	used map[string]time.Duration
}

// during asks for that long, and once more for what is under way then.
func (w way) during(ctx context.Context, of call, d time.Duration) (r run, err error) {
	transport := w.dial()
	transport.MaxIdleConnsPerHost, transport.DisableCompression = callers, true
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: patience}
	began := time.Now()
	r.Run, err = turns.Ask(callers, func() (time.Duration, bool, error) {
		if time.Since(began) >= d {
			return 0, false, nil
		}
		took, _, err := w.one(ctx, client, of)
		return took, true, err
	})
	if err != nil {
		return r, fmt.Errorf("ask by %s: %w", w.name, err)
	}
	return r, nil
}

const patience = 20 * time.Second

// one asks once, and returns how long the answer took to its last byte.
func (w way) one(ctx context.Context, client *http.Client, of call) (took time.Duration, header http.Header, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+of.path, http.NoBody)
	if err != nil {
		return 0, nil, fmt.Errorf("make request: %w", err)
	}
	req.Header = of.header
	began := time.Now()
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	n, err := io.Copy(io.Discard, res.Body)
	if err == nil && (res.StatusCode != http.StatusOK || (n == 0) != of.empty) {
		err = fmt.Errorf("answered %d with %d bytes", res.StatusCode, n)
	}
	return time.Since(began), res.Header, err
}
