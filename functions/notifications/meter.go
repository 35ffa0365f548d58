package main

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/honeydue/backend/shared/pg"
)

var meter = otel.Meter("github.com/honeydue/backend/functions/notifications")

var (
	attempts, _ = meter.Int64Counter("honeydue.message.attempts", metric.WithUnit("{attempt}"),
		metric.WithDescription("Attempts to send a message, by channel and what became of it: sent, pending, dead"))
	delay, _ = meter.Float64Histogram("honeydue.reminder.delay", metric.WithUnit("s"),
		metric.WithDescription("From the hour that a person chose to the planning of what they are told, by type; planned twice counts twice"),
		metric.WithExplicitBucketBoundaries(60, 300, 900, 1800, 3600, 7200, 14400))

	// What stands in the database is told once a tick: a process that is gone cannot have forgotten it.
	overdue, _ = meter.Float64Gauge("honeydue.message.overdue.age", metric.WithUnit("s"),
		metric.WithDescription("For how long the message has been due that waits longest; 0 without one"))
	dead, _ = meter.Int64Gauge("honeydue.message.dead", metric.WithUnit("{message}"),
		metric.WithDescription("Messages of the last day that nothing will try again; at most 1000 are counted"))
)

// count notes that a message was handled, and its outcome.
func count(ctx context.Context, channel, outcome string) {
	attempts.Add(ctx, 1, metric.WithAttributes(attribute.String("channel", channel), attribute.String("outcome", outcome)))
}

const selectStanding = `
SELECT coalesce(extract(epoch FROM now() - (
        SELECT min(next_at) FROM notification_message WHERE state IN ('pending', 'sending') AND state = 'pending' AND next_at < now())), 0)::float8 AS overdue,
    (SELECT count(*) FROM (
        SELECT FROM notification_message WHERE state = 'dead' AND created_at > now() - interval '1 day' LIMIT 1000) t) AS dead`

// tell has what stands in the database sent with the metrics, where these are sent at all.
func (s *service) tell(ctx context.Context) error {
	if !overdue.Enabled(ctx) {
		return nil
	}
	found, err := pg.One[struct {
		Overdue float64
		Dead    int64
	}](ctx, s.db, selectStanding)
	if err != nil {
		return fmt.Errorf("look at what stands: %w", err)
	}
	overdue.Record(ctx, found.Overdue)
	dead.Record(ctx, found.Dead)
	return nil
}
