// Package telemetry sends traces and metrics over OTLP to where endpoints are configured, and costs nothing where none is.
//
// Instruments are those of [otel.Meter], in the packages that know what there is to count; they do nothing until [Open] was called
// with an endpoint. Names are those of OpenTelemetry's semantic conventions where these have one.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	oteltrace "go.opentelemetry.io/otel/trace"
)

// Config says where traces and metrics go; nowhere when it is empty. Its variables are OpenTelemetry's: the path /v1/traces is put
// behind Endpoint, Metrics is an address as it is.
type Config struct {
	Endpoint string `envconfig:"OTEL_EXPORTER_OTLP_ENDPOINT"`
	Metrics  string `envconfig:"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"`
}

// Telemetry wraps the handler of one function.
type Telemetry struct {
	traces  *trace.TracerProvider
	metrics *metric.MeterProvider
}

// Open returns the telemetry of function, for a whole process: instruments report to what the first call opened. It connects to nothing
// yet. What cannot be sent is said in log and dropped.
func Open(ctx context.Context, cfg Config, function string, log *slog.Logger) (*Telemetry, error) {
	t := &Telemetry{}
	if cfg.Endpoint == "" && cfg.Metrics == "" {
		return t, nil
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.WarnContext(context.WithoutCancel(ctx), "telemetry was not sent; all else goes on: check OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "error", err)
	}))
	whose := resource.NewSchemaless(semconv.ServiceName(function), semconv.ServiceInstanceID(instance()))
	if cfg.Endpoint != "" {
		exporter, err := otlptrace.New(ctx, newClient(strings.TrimSuffix(cfg.Endpoint, "/")+"/v1/traces"))
		if err != nil {
			return nil, fmt.Errorf("open trace exporter: check OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
		}
		t.traces = trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(whose))
	}
	if cfg.Metrics != "" {
		t.metrics = metric.NewMeterProvider(
			metric.WithReader(metric.NewPeriodicReader(newExporter(newClient(cfg.Metrics)), metric.WithInterval(interval), metric.WithTimeout(closeTimeout))),
			metric.WithResource(whose), metric.WithView(withoutID()),
		)
		otel.SetMeterProvider(t.metrics)
	}
	return t, nil
}

// instance tells processes of a function from each other: in a pod, by its name.
func instance() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}

// Handler starts a span for each request, as a child of the caller's traceparent. It says nothing of the caller's address;
// what serves the request names it.
func (t *Telemetry) Handler(next http.Handler) http.Handler {
	if t.traces == nil {
		return next
	}
	tracer := t.traces.Tracer(scope)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := tracer.Start(ctx, r.Method, oteltrace.WithSpanKind(oteltrace.SpanKindServer))
		defer span.End()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// closeTimeout is what a collector that does not answer may cost a process at its end.
const closeTimeout = 3 * time.Second

// End closes what is left of a process that is about to end, which is no worse for telemetry that nobody takes.
func (t *Telemetry) End(ctx context.Context) {
	if err := t.Close(ctx); err != nil {
		otel.Handle(err)
	}
}

// Close sends what is left.
func (t *Telemetry) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	var group sync.WaitGroup
	var spans, figures error
	if t.traces != nil {
		group.Go(func() { spans = t.traces.Shutdown(ctx) })
	}
	if t.metrics != nil {
		group.Go(func() { figures = t.metrics.Shutdown(ctx) })
	}
	group.Wait()
	if err := errors.Join(spans, figures); err != nil {
		return fmt.Errorf("send the last telemetry: %w", err)
	}
	return nil
}
