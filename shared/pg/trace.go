package pg

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/timing"
)

// tracer adds to a request's times each statement and batch, from sending it to reading the last of its rows. BEGIN and COMMIT are
// such, and preparing a statement lies within it. Waiting for a connection, and connecting, lie within [patiently].
type tracer struct{}

func (tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	timing.Begin(ctx, timing.Database)
	return ctx
}

func (tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	timing.End(ctx, timing.Database)
}

func (tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	timing.Begin(ctx, timing.Database)
	return ctx
}

func (tracer) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd is called twice for a batch that failed before it was sent; [timing.End] bears that.
func (tracer) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchEndData) {
	timing.End(ctx, timing.Database)
}

func (tracer) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceCopyFromStartData) context.Context {
	timing.Begin(ctx, timing.Database)
	return ctx
}

func (tracer) TraceCopyFromEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceCopyFromEndData) {
	timing.End(ctx, timing.Database)
}
