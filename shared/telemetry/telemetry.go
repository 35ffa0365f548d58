// Package telemetry sends traces over OTLP when an endpoint is configured, and costs nothing when none is.
package telemetry

import (
	"context"
	"fmt"
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
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

// Handler starts a span for each request, as a child of the caller's traceparent.
func (t *Telemetry) Handler(next http.Handler) http.Handler {
	if t.provider == nil {
		return next
	}
	return otelhttp.NewHandler(next, "request", otelhttp.WithTracerProvider(t.provider), otelhttp.WithPropagators(propagation.TraceContext{}))
}

// Close sends what is left.
func (t *Telemetry) Close(ctx context.Context) error {
	if t.provider == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}
