// Package pg is how functions talk to PostgreSQL: a small pool opened lazily, transactions in few round trips,
// and a clear word for a database that is away.
package pg

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/metric"

	"github.com/honeydue/backend/shared/timing"
)

// SchemaVersion is the newest migration that this code relies on. While the database has an older one,
// every call answers [ErrSchemaOld].
const SchemaVersion = 14

// Config says where the database is. Through a pooler in transaction mode the exec mode must be one that keeps
// nothing between statements: exec. There is no simple protocol: it writes values into the statements, which PostgreSQL logs when it
// refuses one.
type Config struct {
	URL      string   `envconfig:"DATABASE_URL" required:"true"`
	ExecMode ExecMode `envconfig:"DATABASE_EXEC_MODE" default:"exec"`
	PoolSize int32    `envconfig:"DATABASE_POOL_SIZE" default:"4"`
}

// ExecMode is pgx's query mode, read by its name.
type ExecMode pgx.QueryExecMode

// Decode reads the name of a mode.
func (m *ExecMode) Decode(name string) error {
	modes := map[string]pgx.QueryExecMode{
		"cache_statement": pgx.QueryExecModeCacheStatement,
		"cache_describe":  pgx.QueryExecModeCacheDescribe,
		"describe_exec":   pgx.QueryExecModeDescribeExec,
		"exec":            pgx.QueryExecModeExec,
	}
	mode, ok := modes[name]
	if !ok {
		return errors.New("not the name of a query mode")
	}
	*m = ExecMode(mode)
	return nil
}

// ErrSchemaOld means that migrate has not yet brought the database to what this code needs.
var ErrSchemaOld = errors.New("the schema is older than this code needs: run migrate")

// DB is a pool that connects on first use.
type DB struct {
	pool     *pgxpool.Pool
	current  atomic.Bool
	observed metric.Registration
}

const connectTimeout = 3 * time.Second

// Open returns the pool that cfg describes. It connects to nothing; only an unreadable URL is an error, which
// does not show it.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	config, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, errors.New("DATABASE_URL is not a PostgreSQL address")
	}
	config.MaxConns = cfg.PoolSize
	config.MinConns = 0
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecMode(cfg.ExecMode)
	config.ConnConfig.ConnectTimeout = connectTimeout
	config.ConnConfig.Tracer = tracer{}
	// A server that restarted closed its end: reading finds that without asking anything of a distant database.
	config.ShouldPing = func(_ context.Context, p pgxpool.ShouldPingParams) bool {
		return p.IdleDuration > time.Second && p.Conn.PgConn().CheckConn() != nil //nolint:staticcheck // a ping is a round trip
	}
	config.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		conn.TypeMap().RegisterType(&pgtype.Type{
			Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
		})
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	observed, err := observe(pool)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return &DB{pool: pool, observed: observed}, nil
}

// Close ends the pool's connections.
func (db *DB) Close() {
	_ = db.observed.Unregister()
	db.pool.Close()
}

const selectSchemaVersion = `SELECT max(version_id) FROM goose_db_version WHERE is_applied`

// ready asks once in a process whether the schema is new enough.
func (db *DB) ready(ctx context.Context) error {
	if db.current.Load() {
		return nil
	}
	version, err := patiently(ctx, func() (version int64, err error) {
		err = db.pool.QueryRow(ctx, selectSchemaVersion).Scan(&version)
		return version, err
	})
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused) && (refused.Code == undefinedTable || refused.Code == insufficientPrivilege):
		return ErrSchemaOld
	case err != nil:
		return fmt.Errorf("read schema version: %w", err)
	case version < SchemaVersion:
		return ErrSchemaOld
	}
	db.current.Store(true)
	return nil
}

// patiently runs do again while a pooler, for a moment after an outage, refuses new clients with what it remembers
// of it. Nothing was sent then, so nothing can happen twice. All that uses the pool goes through here, so that a request's time
// for the database holds its wait for a connection.
func patiently[T any](ctx context.Context, do func() (T, error)) (T, error) {
	const pause, tries = 100 * time.Millisecond, 20
	timing.Begin(ctx, timing.Database)
	defer timing.End(ctx, timing.Database)
	for try := 1; ; try++ {
		value, err := do()
		var connect *pgconn.ConnectError
		var refused *pgconn.PgError
		if try == tries || !errors.As(err, &connect) || !errors.As(err, &refused) || refused.Code != protocolViolation {
			return value, err
		}
		select {
		case <-ctx.Done():
			return value, err
		case <-time.After(pause):
		}
	}
}

// Query runs sql outside a transaction.
func (db *DB) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	return patiently(ctx, func() (pgx.Rows, error) { return db.pool.Query(ctx, sql, args...) })
}

// Exec runs sql outside a transaction.
func (db *DB) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if err := db.ready(ctx); err != nil {
		return pgconn.CommandTag{}, err
	}
	return patiently(ctx, func() (pgconn.CommandTag, error) { return db.pool.Exec(ctx, sql, args...) })
}

// SendBatch runs the queued statements outside a transaction of the caller's, in one round trip and all or none. Their
// results go to the functions that were queued with them.
func (db *DB) SendBatch(ctx context.Context, batch *pgx.Batch) error {
	if err := db.ready(ctx); err != nil {
		return err
	}
	conn, err := db.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return conn.SendBatch(ctx, batch).Close()
}

// One runs sql and reads the one row that it must give, by column names. No row is pgx.ErrNoRows.
func One[T any](ctx context.Context, q Querier, sql string, args ...any) (T, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		var zero T
		return zero, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
}

// All runs sql and reads its rows by column names. No row is an empty slice.
func All[T any](ctx context.Context, q Querier, sql string, args ...any) ([]T, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[T])
}

// Value runs sql and reads the one column of the one row that it must give. No row is pgx.ErrNoRows.
func Value[T any](ctx context.Context, q Querier, sql string, args ...any) (T, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		var zero T
		return zero, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
}

// Querier is a pool or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// SQLSTATE codes that change what is answered.
const (
	uniqueViolation       = "23505"
	foreignKeyViolation   = "23503"
	undefinedTable        = "42P01"
	insufficientPrivilege = "42501"
	protocolViolation     = "08P01"
	tooManyConnections    = "53300"
	lockNotAvailable      = "55P03"
	queryCanceled         = "57014"
	idleInTransaction     = "25P03"
)

// Violates returns whether err is PostgreSQL's refusal by the unique index or foreign key of that name.
func Violates(err error, constraint string) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.ConstraintName == constraint &&
		(refused.Code == uniqueViolation || refused.Code == foreignKeyViolation)
}

// PersonGone returns whether err is PostgreSQL's refusal of a row because the person it names has no account any more. Only
// the caller's can go while a call runs: everyone else whom it names belongs to a home that it holds. A foreign key to a person
// is known by its name, and a test holds the names against the schema.
func PersonGone(err error) bool {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != foreignKeyViolation {
		return false
	}
	column := strings.TrimSuffix(strings.TrimPrefix(refused.ConstraintName, refused.TableName+"_"), "_fkey")
	switch column {
	case "user_id", "created_by_id", "completed_by_id", "assigned_to_id", "unassigned_id":
		return true
	}
	return false
}

// Unavailable returns whether err says that the database, and not the statement, is what is wrong:
// unreachable, shutting down, full, too slow, or with a schema that is too old.
func Unavailable(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		switch refused.Code {
		case tooManyConnections, lockNotAvailable, queryCanceled, idleInTransaction:
			return true
		}
		// 08: connection exception; 57P: operator intervention; 40: the transaction was rolled back.
		return strings.HasPrefix(refused.Code, "08") || strings.HasPrefix(refused.Code, "57P") || strings.HasPrefix(refused.Code, "40")
	}
	var connect *pgconn.ConnectError
	return errors.As(err, &connect) || errors.Is(err, ErrSchemaOld) || errors.Is(err, context.DeadlineExceeded) ||
		InDoubt(err) || pgconn.Timeout(err) || isNetwork(err)
}
