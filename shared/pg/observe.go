package pg

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// observe tells of pool, whenever metrics are sent, until the registration ends.
func observe(pool *pgxpool.Pool) (metric.Registration, error) {
	meter := otel.Meter("github.com/honeydue/backend/shared/pg")
	count, countErr := meter.Int64ObservableUpDownCounter("db.client.connection.count", metric.WithUnit("{connection}"),
		metric.WithDescription("Connections of the pool by their state: used, idle"))
	most, mostErr := meter.Int64ObservableUpDownCounter("db.client.connection.max", metric.WithUnit("{connection}"),
		metric.WithDescription("Connections that the pool may have"))
	waits, waitsErr := meter.Int64ObservableCounter("honeydue.db.connection.waits", metric.WithUnit("{wait}"),
		metric.WithDescription("How often somebody had to wait for a connection, among others for a new one"))
	waited, waitedErr := meter.Float64ObservableCounter("honeydue.db.connection.wait", metric.WithUnit("s"),
		metric.WithDescription("How long they waited, in all"))
	if err := errors.Join(countErr, mostErr, waitsErr, waitedErr); err != nil {
		return nil, fmt.Errorf("make instruments: %w", err)
	}
	used, idle := state("used"), state("idle")
	registration, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		stat := pool.Stat()
		o.ObserveInt64(count, int64(stat.AcquiredConns()), used)
		o.ObserveInt64(count, int64(stat.IdleConns()), idle)
		o.ObserveInt64(most, int64(stat.MaxConns()))
		o.ObserveInt64(waits, stat.EmptyAcquireCount())
		o.ObserveFloat64(waited, stat.EmptyAcquireWaitTime().Seconds())
		return nil
	}, count, most, waits, waited)
	if err != nil {
		return nil, fmt.Errorf("observe the pool: %w", err)
	}
	return registration, nil
}

func state(name string) metric.ObserveOption {
	return metric.WithAttributeSet(attribute.NewSet(attribute.String("db.client.connection.state", name)))
}
