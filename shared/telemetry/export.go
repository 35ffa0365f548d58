package telemetry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"google.golang.org/protobuf/proto"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// client speaks OTLP over HTTP to one address. The SDK's own ones link gRPC, a third of a function's size, to speak it as well.
type client struct {
	url  string
	http *http.Client
}

// idle is how long a connection may lie unused, less than what a network forgets one after.
const idle = 90 * time.Second

func newClient(url string) *client {
	return &client{url: url, http: &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, IdleConnTimeout: idle}}}
}

// Start does nothing: the connection is made with the first spans.
func (c *client) Start(context.Context) error { return nil }

// Stop ends idle connections.
func (c *client) Stop(context.Context) error {
	c.http.CloseIdleConnections()
	return nil
}

// UploadTraces sends spans once; the SDK drops a batch that fails. What it sends is a TracesData, whose only field has the number that
// the request of the OTLP service gives it.
func (c *client) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return fmt.Errorf("encode spans: %w", err)
	}
	return c.send(ctx, body)
}

// send returns nil once the collector has taken body. An error names no address, which may hold a password.
func (c *client) send(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("address of the collector: not a URL")
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("reach collector: %w", without(err))
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("collector answered %d", res.StatusCode)
	}
	return nil
}

// without is what went wrong, less the address.
func without(err error) error {
	var request *url.Error
	if errors.As(err, &request) {
		return request.Err
	}
	return err
}
