package main

import (
	"context"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/honeydue/backend/shared/pg"
)

var meter = otel.Meter("github.com/honeydue/backend/functions/notifications")

var (
	attempts, _ = meter.Int64Counter("honeydue.message.attempts", metric.WithUnit("{attempt}"),
		metric.WithDescription("Attempts to send a message, by channel and what became of it: sent, pending, dead; waits for the end of quiet hours, moot"))
	delay, _ = meter.Float64Histogram("honeydue.reminder.delay", metric.WithUnit("s"),
		metric.WithDescription("From the hour that a person chose to the planning of what they are told, by type; planned twice counts twice"),
		metric.WithExplicitBucketBoundaries(60, 300, 900, 1800, 3600, 7200, 14400))

	// What stands in the database is told once a tick: a process that is gone cannot have forgotten it.
	overdue, _ = meter.Float64Gauge("honeydue.message.overdue.age", metric.WithUnit("s"),
		metric.WithDescription("For how long a message has been due, or tried in vain, at most; 0 without one"))
)

// count notes that a message was handled, and its outcome.
func count(ctx context.Context, channel string, o settlement) {
	attempts.Add(ctx, 1, metric.WithAttributes(attribute.String("channel", channel), attribute.String("outcome", o.outcome())))
}

// outcome is what an operator has to know of it: whether anything failed.
func (o settlement) outcome() string {
	switch {
	case o.moot:
		return "moot"
	case o.uncounted:
		return "waits"
	}
	return o.state
}

// What fails is due again later each time (see [pause]), so it is told by its attempts: the fourth comes no sooner than three and a half
// minutes behind the first, the seventh half an hour.
const selectOverdue = `
SELECT greatest(
    coalesce(extract(epoch FROM now() - (SELECT min(next_at) FROM notification_message WHERE state IN ('pending', 'sending') AND next_at < now())), 0),
    (SELECT coalesce(max(least($1::float8 * (2 ^ (attempts - 1) - 1), extract(epoch FROM now() - created_at))), 0)
     FROM notification_message WHERE state IN ('pending', 'sending') AND attempts > 0)
)::float8 AS overdue`

// tellTimeout bounds the question, which is nobody's first concern.
const tellTimeout = 3 * time.Second

// tell has what stands in the database sent with the metrics, where these are sent at all. That it cannot is said and fails nothing.
func (s *service) tell(ctx context.Context) {
	if !overdue.Enabled(ctx) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTimeout)
	defer cancel()
	seconds, err := s.overdue(ctx)
	if err != nil {
		s.log.WarnContext(ctx, "nobody is told what is late; the next tick tells", "error", err)
		return
	}
	overdue.Record(ctx, seconds)
}

func (s *service) overdue(ctx context.Context) (seconds float64, err error) {
	found, err := pg.One[struct{ Overdue float64 }](ctx, s.db, selectOverdue, firstPause.Seconds())
	return found.Overdue, err
}
