package telemetry

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"
)

const scope = "github.com/honeydue/backend/shared/telemetry"

// requestID is the key of a request's id: of a span, and of the exemplars of a histogram. No series has it, as each would be of one
// request.
const requestID = attribute.Key("honeydue.request_id")

const durationName = "http.server.request.duration"

var duration, _ = otel.Meter(scope).Float64Histogram(durationName, metric.WithUnit("s"),
	metric.WithDescription("From a request's arrival to the end of its answer"),
	metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5))

// withoutID keeps ids out of series and in exemplars.
func withoutID() sdk.View {
	return sdk.NewView(sdk.Instrument{Name: durationName}, sdk.Stream{AttributeFilter: attribute.NewDenyKeysFilter(requestID)})
}

// A Request is one that was answered.
type Request struct {
	ID     string // X-Request-Id
	Method string
	Route  string // the pattern that its path matched; empty when there is none
	Status int
	Took   time.Duration
}

// Served counts the request that ctx belongs to, names its span after its route, and says how it was answered.
func Served(ctx context.Context, r Request) {
	attributes := []attribute.KeyValue{semconv.HTTPRequestMethodKey.String(r.Method), semconv.HTTPRoute(r.Route), semconv.HTTPResponseStatusCode(r.Status), requestID.String(r.ID)}
	if duration.Enabled(ctx) {
		duration.Record(ctx, r.Took.Seconds(), metric.WithAttributes(attributes...))
	}
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	span.SetName(r.Method + " " + r.Route)
	span.SetAttributes(attributes...)
	if r.Status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
}

// Logs returns next with the id of the trace on each line that belongs to one.
func Logs(next slog.Handler) slog.Handler { return logs{next} }

type logs struct{ slog.Handler }

func (l logs) Handle(ctx context.Context, line slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		line.AddAttrs(slog.String("trace_id", span.TraceID().String()))
	}
	return l.Handler.Handle(ctx, line)
}

func (l logs) WithAttrs(attrs []slog.Attr) slog.Handler { return logs{l.Handler.WithAttrs(attrs)} }
func (l logs) WithGroup(name string) slog.Handler       { return logs{l.Handler.WithGroup(name)} }
