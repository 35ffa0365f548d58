package main

import (
	"context"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/honeydue/backend/shared/pg"
)

var meter = otel.Meter("github.com/honeydue/backend/functions/sweeper")

// What stands in the database is told once a tick: a process that is gone cannot have forgotten it.
var (
	undelivered, _ = meter.Float64Gauge("honeydue.event.undelivered.age", metric.WithUnit("s"),
		metric.WithDescription("How long ago the oldest event happened that a function has not confirmed; 0 without one"))
	deadEvents, _ = meter.Int64Gauge("honeydue.event.dead", metric.WithUnit("{delivery}"),
		metric.WithDescription("Deliveries that nothing will try again; at most 1000 are counted, here and below"))
	failedUploads, _ = meter.Int64Gauge("honeydue.upload.failed", metric.WithUnit("{upload}"),
		metric.WithDescription("Photos that could not be cleaned"))
	lastRun, _ = meter.Float64Gauge("honeydue.schedule.last_run", metric.WithUnit("s"),
		metric.WithDescription("When a schedule's tick came last, or, of one that never came, since when it is to, in seconds since 1970"))
)

const selectStanding = `
SELECT coalesce(extract(epoch FROM now() - (
        SELECT min(e.time) FROM outbox_delivery d JOIN outbox_event e ON e.id = d.event_id WHERE d.state = 'pending')), 0)::float8 AS undelivered_age,
    (SELECT count(*) FROM (SELECT FROM outbox_delivery WHERE state = 'dead' LIMIT $1::int) t) AS dead_events,
    (SELECT count(*) FROM (SELECT FROM upload_media WHERE state = 'failed' LIMIT $1::int) t) AS failed_uploads,
    ARRAY(SELECT name FROM shared_schedule ORDER BY name) AS schedules,
    ARRAY(SELECT extract(epoch FROM coalesce(runs[1], since))::float8 FROM shared_schedule ORDER BY name) AS runs`

type standing struct {
	UndeliveredAge float64
	DeadEvents     int64
	FailedUploads  int64
	Schedules      []string
	Runs           []float64
}

// mostCounted is where counting what went wrong ends.
const mostCounted = 1000

func (s *service) standing(ctx context.Context) (standing, error) {
	return pg.One[standing](ctx, s.db, selectStanding, mostCounted)
}

// tellTimeout bounds the question, which is nobody's first concern.
const tellTimeout = 3 * time.Second

// tell has what stands in the database sent with the metrics, where these are sent at all. That it cannot is said and fails nothing.
func (s *service) tell(ctx context.Context) {
	if !undelivered.Enabled(ctx) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTimeout)
	defer cancel()
	found, err := s.standing(ctx)
	if err != nil {
		s.log.WarnContext(ctx, "nobody is told what stands; the next tick tells", "error", err)
		return
	}
	undelivered.Record(ctx, found.UndeliveredAge)
	deadEvents.Record(ctx, found.DeadEvents)
	failedUploads.Record(ctx, found.FailedUploads)
	for i, name := range found.Schedules {
		lastRun.Record(ctx, found.Runs[i], metric.WithAttributes(attribute.String("schedule", name)))
	}
}
