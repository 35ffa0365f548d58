package telemetry_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/proto"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"

	"github.com/honeydue/backend/shared/telemetry"
)

func keys(attributes []*commonpb.KeyValue) map[string]string {
	all := map[string]string{}
	for _, a := range attributes {
		all[a.GetKey()] = a.GetValue().GetStringValue()
	}
	return all
}

// traced returns a context in which somebody's trace is going on.
func traced(t *testing.T) context.Context {
	t.Helper()
	id, err := trace.TraceIDFromHex("0af7651916cd43dd8448eb211c80319c")
	require.NoError(t, err)
	span, err := trace.SpanIDFromHex("b7ad6b7169203331")
	require.NoError(t, err)
	return trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span, TraceFlags: trace.FlagsSampled}))
}

// Instruments report to what is opened first, so no other test here opens metrics.
func TestFiguresReachTheCollector(t *testing.T) {
	t.Parallel()
	received := make(chan *metricspb.MetricsData, 10)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		data := &metricspb.MetricsData{}
		if err == nil && r.URL.Path == "/opentelemetry/v1/metrics" && r.Header.Get("Content-Type") == "application/x-protobuf" && proto.Unmarshal(body, data) == nil {
			received <- data
		}
		w.WriteHeader(http.StatusNoContent) // as VictoriaMetrics does
	}))
	t.Cleanup(collector.Close)
	sent, err := telemetry.Open(t.Context(), telemetry.Config{Metrics: collector.URL + "/opentelemetry/v1/metrics"}, "tasks", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	meter := otel.Meter("test")
	counter, err := meter.Int64Counter("things")
	require.NoError(t, err)
	gauge, err := meter.Float64Gauge("height")
	require.NoError(t, err)
	level, err := meter.Float64UpDownCounter("level")
	require.NoError(t, err)
	began := time.Now()
	counter.Add(t.Context(), 7)
	gauge.Record(t.Context(), 2.5)
	level.Add(t.Context(), 3)
	telemetry.Served(traced(t), telemetry.Request{ID: "0123456789", Method: "GET", Route: "/api/tasks/{id}/", Status: 200, Took: 30 * time.Millisecond})
	require.NoError(t, sent.Close(t.Context()))

	of := (<-received).GetResourceMetrics()
	require.Len(t, of, 1)
	whose := keys(of[0].GetResource().GetAttributes())
	require.Equal(t, "tasks", whose["service.name"])
	require.NotEmpty(t, whose["service.instance.id"])
	metrics := map[string]*metricspb.Metric{}
	for _, scope := range of[0].GetScopeMetrics() {
		for _, m := range scope.GetMetrics() {
			metrics[m.GetName()] = m
		}
	}

	// A counter is first told of with the zero that it began with, at an earlier time, so that what it counted meanwhile is a growth.
	things := metrics["things"].GetSum().GetDataPoints()
	require.Len(t, things, 2)
	require.True(t, metrics["things"].GetSum().GetIsMonotonic())
	require.EqualValues(t, 0, things[0].GetAsInt())
	require.EqualValues(t, 7, things[1].GetAsInt())
	require.Less(t, things[0].GetTimeUnixNano(), things[1].GetTimeUnixNano())
	require.InDelta(t, began.UnixNano(), things[0].GetTimeUnixNano(), float64(time.Minute))
	require.Len(t, metrics["height"].GetGauge().GetDataPoints(), 1)
	require.InDelta(t, 2.5, metrics["height"].GetGauge().GetDataPoints()[0].GetAsDouble(), 0)
	require.Len(t, metrics["level"].GetSum().GetDataPoints(), 1, "what may fall does not begin with zero")

	var took []*metricspb.HistogramDataPoint // of this test's request
	for _, p := range metrics["http.server.request.duration"].GetHistogram().GetDataPoints() {
		if keys(p.GetAttributes())["http.route"] == "/api/tasks/{id}/" {
			took = append(took, p)
		}
	}
	require.Len(t, took, 2)
	require.Zero(t, took[0].GetCount())
	require.EqualValues(t, 1, took[1].GetCount())
	require.InDelta(t, 0.03, took[1].GetSum(), 1e-9)
	require.Len(t, took[1].GetBucketCounts(), len(took[1].GetExplicitBounds())+1)
	labels := keys(took[1].GetAttributes())
	require.Equal(t, "GET", labels["http.request.method"])
	require.NotContains(t, labels, "honeydue.request_id", "a series of one request")
	require.Len(t, took[1].GetExemplars(), 1)
	example := took[1].GetExemplars()[0]
	require.Equal(t, "0123456789", keys(example.GetFilteredAttributes())["honeydue.request_id"])
	require.Equal(t, "0af7651916cd43dd8448eb211c80319c", hex.EncodeToString(example.GetTraceId()))

	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	sent, err = telemetry.Open(t.Context(), telemetry.Config{Metrics: gone.URL}, "tasks", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	err = sent.Close(t.Context())
	require.ErrorContains(t, err, "reach collector")
	require.NotContains(t, err.Error(), gone.URL)
}

func TestLinesHaveTheirTrace(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(telemetry.Logs(slog.NewJSONHandler(&out, nil))).With("function", "tasks")
	log.InfoContext(traced(t), "request", "request_id", "0123456789")
	log.InfoContext(t.Context(), "request")
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	require.Len(t, lines, 2)
	var first, second map[string]any
	require.NoError(t, json.Unmarshal(lines[0], &first))
	require.NoError(t, json.Unmarshal(lines[1], &second))
	require.Equal(t, "0af7651916cd43dd8448eb211c80319c", first["trace_id"])
	require.Equal(t, "tasks", first["function"])
	require.NotContains(t, second, "trace_id")
}
