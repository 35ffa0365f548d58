package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/honeydue/backend/tests/bench/turns"
)

// A run is what one side did in its time, and took of the machine.
type run struct {
	turns.Run
	usage
}

// A caller makes the request of that number.
type caller func(ctx context.Context, number int64) (*http.Request, error)

// A load has as many callers at once as the function has connections to its database; each asks again as soon as it is
// answered.
type load struct {
	call   caller
	status int
	next   atomic.Int64 // number of the next request: none comes twice
}

// client keeps a connection for each caller, and sends and returns what it is given.
func client() (*http.Client, *http.Transport) {
	transport := &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}
	return &http.Client{Transport: transport}, transport
}

// during asks for that long, and once more for what is under way then.
func (l *load) during(ctx context.Context, d time.Duration) (run, error) {
	began := time.Now()
	r, err := l.ask(ctx, func(int64) bool { return time.Since(began) < d })
	return run{Run: r}, err
}

// repeat asks so many times.
func (l *load) repeat(ctx context.Context, n int64) error {
	last := l.next.Load() + n
	_, err := l.ask(ctx, func(number int64) bool { return number < last })
	return err
}

// ask has all callers ask while more says so; an answer takes as long as to its last byte.
func (l *load) ask(ctx context.Context, more func(number int64) bool) (turns.Run, error) {
	c, transport := client()
	defer transport.CloseIdleConnections()
	return turns.Ask(connections, func() (time.Duration, bool, error) {
		number := l.next.Add(1) - 1
		if !more(number) {
			return 0, false, nil
		}
		took, err := l.one(ctx, c, number)
		return took, true, err
	})
}

func (l *load) one(ctx context.Context, c *http.Client, number int64) (time.Duration, error) {
	req, err := l.call(ctx, number)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	res, err := c.Do(req)
	if err != nil {
		return 0, fmt.Errorf("ask: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != l.status {
		said, _ := io.ReadAll(res.Body)
		return 0, fmt.Errorf("answered %d: %s", res.StatusCode, said)
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return 0, fmt.Errorf("read answer: %w", err)
	}
	return time.Since(began), nil
}
