package broker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/cloudevents/sdk-go/v2/types"
)

// Extension attributes that Eventing's brokers add.
const (
	ttlAttribute       = "knativebrokerttl"
	arrivalAttribute   = "knativearrivaltime"
	errorDestAttribute = "knativeerrordest"
	errorCodeAttribute = "knativeerrorcode"
	errorDataAttribute = "knativeerrordata"
)

// errNoEvent says that a message holds no CloudEvent at all, as opposed to a broken one.
var errNoEvent = errors.New("no CloudEvent")

// readEvent reads a request's or response's event in binary or structured mode. Its errors quote nothing of
// what was sent.
func readEvent(ctx context.Context, header http.Header, body []byte) (event.Event, error) {
	// The SDK slices past the end of a header that is nothing but the prefix.
	if _, nameless := header["Ce-"]; nameless {
		return event.Event{}, errors.New("an attribute has no name")
	}
	message := cehttp.NewMessage(header, io.NopCloser(bytes.NewReader(body)))
	switch message.ReadEncoding() {
	case binding.EncodingUnknown:
		return event.Event{}, errNoEvent
	case binding.EncodingBatch:
		return event.Event{}, errors.New("batches are not taken")
	}
	e, err := binding.ToEvent(ctx, message)
	if err != nil {
		return event.Event{}, errors.New("not a readable CloudEvent")
	}
	if e.SpecVersion() != event.CloudEventsVersionV1 {
		return event.Event{}, errors.New("specversion is not 1.0")
	}
	if err := validate(*e); err != nil {
		return event.Event{}, err
	}
	return *e, nil
}

func validate(e event.Event) error {
	var invalid event.ValidationError
	if err := e.Validate(); err != nil {
		errors.As(err, &invalid)
	}
	for _, name := range []string{"id", "source", "type", "subject", "time", "dataschema", "datacontenttype"} {
		if _, bad := invalid[name]; bad {
			return fmt.Errorf("attribute %s is missing or not valid", name)
		}
		if !printable(attribute(e, name)) {
			return fmt.Errorf("attribute %s has control characters", name)
		}
	}
	if len(invalid) > 0 {
		return errors.New("an attribute is not valid")
	}
	for _, value := range e.Extensions() {
		if text, err := types.Format(value); err != nil || !printable(text) {
			return errors.New("an extension is not valid")
		}
	}
	return nil
}

// printable is what the CloudEvents type system lets into a string, and so also what may stand in a header.
func printable(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}

// newRequest writes an event in binary mode, with the headers that go along with it.
func newRequest(ctx context.Context, address string, e event.Event, header http.Header) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	if err := cehttp.WriteRequest(binding.WithForceBinary(ctx), binding.ToMessage(&e), req); err != nil {
		return nil, fmt.Errorf("write event: %w", err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	return req, nil
}

// passThrough picks the headers that travel with an event from hop to hop. The trace is taken from the
// event's extension when its sender set no header, so that consumers need look in one place only.
func passThrough(header http.Header, e event.Event) http.Header {
	kept := http.Header{}
	for name, values := range header {
		switch lower := strings.ToLower(name); {
		case lower == "x-request-id", lower == "traceparent", lower == "tracestate",
			strings.HasPrefix(lower, "knative-"), strings.HasPrefix(lower, "x-b3-"):
			kept[name] = values
		}
	}
	if kept.Get("Traceparent") == "" && attribute(e, "traceparent") != "" {
		kept.Set("Traceparent", attribute(e, "traceparent"))
		if state := attribute(e, "tracestate"); state != "" {
			kept.Set("Tracestate", state)
		}
	}
	return kept
}
