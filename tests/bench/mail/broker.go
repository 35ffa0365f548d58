package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// A broker takes the events that are published and posts each to the function, as a Trigger does: so many at a time, and
// again after a pause when it is put off.
type broker struct {
	server *httptest.Server
	client *http.Client
	slots  chan struct{} // holds an item for each delivery under way

	mu      sync.Mutex
	to      string // address of the function
	open    int    // deliveries that have not ended
	handled int
	putOff  int           // answers other than 2xx, and none
	longest time.Duration // of one handling
}

const (
	redeliverAfter = time.Second // as the Trigger's first back-off
	deliveryTries  = 6
	deliveryTime   = 45 * time.Second // as Knative's
)

// openBroker starts a broker that posts at most atOnce events at a time.
func openBroker(atOnce int) *broker {
	b := &broker{
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnce}, Timeout: deliveryTime}, slots: make(chan struct{}, atOnce),
	}
	b.server = httptest.NewServer(http.HandlerFunc(b.take))
	return b
}

func (b *broker) close() {
	b.server.Close()
	b.client.CloseIdleConnections()
}

// serve has the broker post to a function at this address from now on, and count anew.
func (b *broker) serve(to string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.to, b.handled, b.putOff, b.longest = to, 0, 0, 0
}

// busy returns whether a delivery has not ended.
func (b *broker) busy() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open > 0
}

// stats returns how many deliveries were done, how many answers put one off, and how long the longest handling took.
func (b *broker) stats() (handled, putOff int, longest time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.handled, b.putOff, b.longest
}

// take answers a publisher before anything is delivered.
func (b *broker) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	header := http.Header{"Content-Type": r.Header["Content-Type"]}
	for name, values := range r.Header {
		if strings.HasPrefix(name, "Ce-") {
			header[name] = values
		}
	}
	w.WriteHeader(http.StatusAccepted)
	b.send(context.WithoutCancel(r.Context()), header, body)
}

// tick sends what the schedule of that name does.
func (b *broker) tick(ctx context.Context, schedule string) {
	header := http.Header{}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "Ce-Id": uuid.NewString(), "Ce-Type": "dev.knative.sources.ping", "Ce-Specversion": "1.0",
		"Ce-Source": "/apis/v1/namespaces/honeydue/pingsources/" + schedule,
	} {
		header.Set(name, value)
	}
	b.send(ctx, header, []byte("{}"))
}

// send delivers an event behind the caller's back.
func (b *broker) send(ctx context.Context, header http.Header, body []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open++
	go func() {
		b.slots <- struct{}{}
		b.deliver(ctx, header, body)
		<-b.slots
		b.mu.Lock()
		defer b.mu.Unlock()
		b.open--
	}()
}

func (b *broker) deliver(ctx context.Context, header http.Header, body []byte) {
	for range deliveryTries {
		began := time.Now()
		err := b.post(ctx, header, body)
		b.mu.Lock()
		b.longest = max(b.longest, time.Since(began))
		if err == nil {
			b.handled++
		} else {
			b.putOff++
		}
		b.mu.Unlock()
		if err == nil || wait(ctx, redeliverAfter) != nil {
			return
		}
	}
}

func (b *broker) post(ctx context.Context, header http.Header, body []byte) error {
	b.mu.Lock()
	to := b.to
	b.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	req.Header = header.Clone()
	res, err := b.client.Do(req)
	if err != nil {
		return fmt.Errorf("post event: %w", err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	if err := res.Body.Close(); err != nil {
		return fmt.Errorf("post event: %w", err)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("function answered %d", res.StatusCode)
	}
	return nil
}

// wait returns after d, or with ctx's error when that ends first.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
