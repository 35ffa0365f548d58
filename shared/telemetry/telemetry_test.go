package telemetry_test

import (
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/honeydue/backend/shared/telemetry"
)

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func call(t *testing.T, handler http.Handler) {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	req.Header.Set("Traceparent", traceparent)
	handler.ServeHTTP(httptest.NewRecorder(), req)
}

func TestSpansReachTheCollector(t *testing.T) {
	t.Parallel()
	received := make(chan *tracepb.TracesData, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		data := &tracepb.TracesData{}
		if err == nil && r.URL.Path == "/v1/traces" && r.Header.Get("Content-Type") == "application/x-protobuf" && proto.Unmarshal(body, data) == nil {
			received <- data
		}
	}))
	t.Cleanup(collector.Close)
	traces, err := telemetry.Open(t.Context(), telemetry.Config{Endpoint: collector.URL}, "tasks", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	call(t, traces.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		telemetry.Served(r.Context(), telemetry.Request{ID: "0123456789", Method: r.Method, Route: "/api/tasks/{id}", Status: http.StatusServiceUnavailable})
	})))
	require.NoError(t, traces.Close(t.Context()))
	spans := (<-received).GetResourceSpans()
	require.Len(t, spans, 1)
	require.Equal(t, "tasks", keys(spans[0].GetResource().GetAttributes())["service.name"])
	span := spans[0].GetScopeSpans()[0].GetSpans()[0]
	require.Equal(t, "0af7651916cd43dd8448eb211c80319c", hex.EncodeToString(span.GetTraceId()), "the caller's trace goes on")
	require.Equal(t, "GET /api/tasks/{id}", span.GetName())
	require.Equal(t, tracepb.Status_STATUS_CODE_ERROR, span.GetStatus().GetCode())
	said := map[string]string{}
	for _, attribute := range span.GetAttributes() {
		require.NotContains(t, attribute.GetKey(), "address")
		said[attribute.GetKey()] = attribute.GetValue().GetStringValue()
	}
	require.Equal(t, "0123456789", said["honeydue.request_id"])
	require.Equal(t, "b7ad6b7169203331", hex.EncodeToString(span.GetParentSpanId()))
}

func TestACollectorThatHangsHoldsNoProcessUp(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	collector := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(collector.Close)
	t.Cleanup(func() { close(release) })
	traces, err := telemetry.Open(t.Context(), telemetry.Config{Endpoint: collector.URL}, "tasks", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	call(t, traces.Handler(http.NotFoundHandler()))
	began := time.Now()
	require.Error(t, traces.Close(t.Context()))
	require.Less(t, time.Since(began), 10*time.Second)
}

func TestOffUnlessAnEndpointIsSet(t *testing.T) {
	t.Parallel()
	traces, err := telemetry.Open(t.Context(), telemetry.Config{}, "tasks", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	handler := http.NotFoundHandler()
	call(t, traces.Handler(handler))
	require.NoError(t, traces.Close(t.Context()))
}
