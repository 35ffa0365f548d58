package schedule

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/google/uuid"
)

const (
	// As Eventing does: five retries, after 100, 200, 400, 800 and 1,600 ms.
	retries    = 5
	firstRetry = 100 * time.Millisecond

	// A Broker takes an event at once; one that does not within this time is down.
	sinkTimeout = 30 * time.Second
)

// send makes the source's event, with an id and time of its own, and tries to hand it to the sink until that
// answers 2xx or something that retrying will not change, or the retries are used up.
func (s *Scheduler) send(ctx context.Context, e *entry) error {
	ping := e.event.Clone()
	ping.SetID(uuid.NewString())
	ping.SetTime(s.options.Now())
	for n := 0; ; n++ {
		again, err := s.post(ctx, e, ping)
		if err == nil {
			return nil
		}
		if !again || n == retries || !s.wait(ctx, firstRetry<<n) {
			return err
		}
	}
}

// post makes one attempt and reports whether another may help.
func (s *Scheduler) post(ctx context.Context, e *entry, ping event.Event) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, sinkTimeout)
	defer cancel()
	address, err := e.Sink.Resolve(ctx, s.options.Resolve, e.Namespace)
	if err != nil {
		return true, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, http.NoBody)
	if err != nil {
		return false, fmt.Errorf("make request: %w", err)
	}
	if err := cehttp.WriteRequest(binding.WithForceBinary(ctx), binding.ToMessage(&ping), req); err != nil {
		return false, fmt.Errorf("write event: %w", err)
	}
	req.Header.Set("Kn-Namespace", e.Namespace)
	resp, err := s.client.Do(req)
	if err != nil {
		// Only the cause: the client's own text has the address, which may hold a password.
		if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return true, fmt.Errorf("reach sink: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		return false, nil
	}
	return retryable(resp.StatusCode), fmt.Errorf("sink answered %d", resp.StatusCode)
}

// retryable is the rule of Eventing's sources, which is not that of its brokers.
func retryable(status int) bool {
	switch status {
	case http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// newClient never goes through a proxy and never follows a redirect.
func newClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
