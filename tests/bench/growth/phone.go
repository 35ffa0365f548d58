package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/honeydue/backend/tests/bench/world"
)

const (
	calls   = 300 // of each kind that count
	warmUps = 30  // before these
)

// A request is one call of the API. One with a body creates something, under a key of its own.
type request struct {
	url    string
	person int64
	body   string // JSON, or nothing
	status int    // of the right answer
	whole  bool   // the answer is not to be compressed
}

// An answer is how long one took, to its last byte, how many bytes there were, and whether the function asked its database nothing.
type answer struct {
	took time.Duration
	size int
	kept bool
	body []byte
}

// A call is something that people do again and again.
type call struct {
	name  string
	next  func(i int) request
	first func(ctx context.Context) error // goes before each one and does not count; may be nil
	kept  bool                            // one that asked the database does not count
	fresh bool                            // one that did not is an error
	check func(body []byte) error         // looks into the first answer, which is not compressed
}

// A phone asks one thing after the other, over a connection to each function that it keeps.
type phone struct{ transport *http.Transport }

func newPhone() *phone { return &phone{&http.Transport{DisableCompression: true}} }

func (p *phone) close() { p.transport.CloseIdleConnections() }

// repeat makes a call again and again, and returns how long those took that count, sorted.
func (p *phone) repeat(ctx context.Context, c call) ([]time.Duration, error) {
	times := make([]time.Duration, 0, calls)
	for i := 0; len(times) < calls; i++ {
		if i == 3*calls {
			return nil, fmt.Errorf("%s: the cache does not keep it", c.name)
		}
		if c.first != nil {
			if err := c.first(ctx); err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
		}
		r := c.next(i)
		r.whole = i == 0
		a, err := p.ask(ctx, r)
		switch {
		case err != nil:
		case c.fresh && a.kept:
			err = errors.New("it came from the cache")
		case i == 0:
			err = c.check(a.body)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		if i >= warmUps && (a.kept || !c.kept) {
			times = append(times, a.took)
		}
	}
	slices.Sort(times)
	return times, nil
}

// untilKept asks until the cache has the answer, as it has not for some seconds behind a person's first question.
func (p *phone) untilKept(ctx context.Context, r request) error {
	const tries = 30
	for range tries {
		a, err := p.ask(ctx, r)
		if err != nil || a.kept {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
	return errors.New("the cache does not keep the answer")
}

func (p *phone) ask(ctx context.Context, r request) (a answer, err error) {
	const longest = 20 * time.Second
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	method, body := http.MethodGet, io.Reader(http.NoBody)
	if r.body != "" {
		method, body = http.MethodPost, strings.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.url, body)
	if err != nil {
		return a, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Authorization", "Token "+world.Token(r.person))
	if !r.whole {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	if r.body != "" {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", rand.Text())
	}
	began := time.Now()
	res, err := p.transport.RoundTrip(req)
	if err != nil {
		return a, fmt.Errorf("ask: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	said, err := io.ReadAll(res.Body)
	a.took, a.size, a.body = time.Since(began), len(said), said
	if err != nil || res.StatusCode != r.status {
		return a, errors.Join(err, fmt.Errorf("answered %d: %s", res.StatusCode, said))
	}
	a.kept = strings.Contains(res.Header.Get("Server-Timing"), "db;dur=0,")
	return a, nil
}
