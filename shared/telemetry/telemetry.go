// Package telemetry sends traces over OTLP when an endpoint is configured, and costs nothing when none is.
package telemetry

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	oteltrace "go.opentelemetry.io/otel/trace"
)

// Config says where traces go; nowhere when Endpoint is empty.
type Config struct {
	Endpoint string `envconfig:"OTEL_EXPORTER_OTLP_ENDPOINT"`
}

// Telemetry wraps handlers and clients of one function.
type Telemetry struct{ provider *trace.TracerProvider }

// Open returns the telemetry of function. It connects to nothing yet.
func Open(ctx context.Context, cfg Config, function string) (*Telemetry, error) {
	if cfg.Endpoint == "" {
		return &Telemetry{}, nil
	}
	exporter, err := otlptrace.New(ctx, newClient(cfg.Endpoint))
	if err != nil {
		return nil, fmt.Errorf("open trace exporter: check OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	return &Telemetry{trace.NewTracerProvider(
		trace.WithBatcher(exporter),
		trace.WithResource(resource.NewSchemaless(semconv.ServiceName(function))),
	)}, nil
}

// Handler starts a span for each request, as a child of the caller's traceparent. It says nothing of the caller's address;
// what serves the request names it.
func (t *Telemetry) Handler(next http.Handler) http.Handler {
	if t.provider == nil {
		return next
	}
	tracer := t.provider.Tracer("github.com/honeydue/backend/shared/telemetry")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := tracer.Start(ctx, r.Method, oteltrace.WithSpanKind(oteltrace.SpanKindServer))
		defer span.End()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Served names the span of the request that ctx belongs to after its route, and says how it was answered.
func Served(ctx context.Context, method, route string, status int) {
	span := oteltrace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	span.SetName(method + " " + route)
	span.SetAttributes(semconv.HTTPRequestMethodKey.String(method), semconv.HTTPRoute(route), semconv.HTTPResponseStatusCode(status))
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
}

// closeTimeout is what a collector that does not answer may cost a process at its end.
const closeTimeout = 3 * time.Second

// Close sends what is left.
func (t *Telemetry) Close(ctx context.Context) error {
	if t.provider == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send the last spans: %w", err)
	}
	return nil
}
