package events

import (
	"context"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

var meter = otel.Meter("github.com/honeydue/backend/events")

// What is counted of events. Types are those of the catalogue and that of ticks: what else somebody sends is "other".
var (
	processed, _ = meter.Float64Histogram("messaging.process.duration", metric.WithUnit("s"),
		metric.WithDescription("From a delivery's arrival to its answer, by type, schedule and outcome: done, put off"),
		metric.WithExplicitBucketBoundaries(0.01, 0.05, 0.1, 0.5, 1, 5, 15, 45))
	lag, _ = meter.Float64Histogram("honeydue.event.lag", metric.WithUnit("s"),
		metric.WithDescription("From an event to its confirmation by a function"),
		metric.WithExplicitBucketBoundaries(0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600))
	publications, _ = meter.Int64Counter("honeydue.event.publications", metric.WithUnit("{publication}"),
		metric.WithDescription("Events sent to the broker by their outcome: taken, failed"))
)

func byType(typ string) attribute.KeyValue { return attribute.String("cloudevents.event_type", typ) }

func byOutcome(ok bool, well, badly string) attribute.KeyValue {
	if ok {
		return attribute.String("outcome", well)
	}
	return attribute.String("outcome", badly)
}

// count notes how a delivery with header h ended, which arrived at began.
func (c *Consumer) count(ctx context.Context, h http.Header, began time.Time, done bool) {
	if !processed.Enabled(ctx) {
		return
	}
	attributes := []attribute.KeyValue{byOutcome(done, "done", "put off")}
	typ := h.Get("Ce-Type")
	_, ours := Lookup(typ)
	_, schedule, _ := strings.Cut(h.Get("Ce-Source"), "/pingsources/")
	_, follows := c.Schedules[schedule]
	switch {
	case ours:
		attributes = append(attributes, byType(typ))
	case typ == PingType && follows:
		attributes = append(attributes, byType(typ), attribute.String("schedule", schedule))
	default:
		attributes = append(attributes, byType("other"))
	}
	processed.Record(ctx, time.Since(began).Seconds(), metric.WithAttributes(attributes...))
}
