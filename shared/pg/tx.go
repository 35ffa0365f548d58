package pg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// errInDoubt means that COMMIT was sent and nobody said what became of it.
var errInDoubt = errors.New("it is not known whether the transaction was committed")

// InDoubt returns whether err is that of a transaction which may have been committed, or still may be: the
// connection broke, or the time was up, before the database answered its COMMIT.
func InDoubt(err error) bool { return errors.Is(err, errInDoubt) }

// Tx is a transaction that spends few round trips on a distant database: BEGIN travels with the first batch
// of statements, and statements whose rows nobody reads travel with COMMIT.
type Tx struct {
	conn   *pgxpool.Conn
	begun  bool
	queued pgx.Batch
	after  []func()
}

// InTx runs fn in a transaction: committed when fn returns nil, rolled back otherwise. Only an error that is
// [InDoubt] leaves open which of them happened. No operation in it may wait for anything but the database.
func InTx(ctx context.Context, db *DB, fn func(tx *Tx) error) error {
	if err := db.ready(ctx); err != nil {
		return err
	}
	conn, err := db.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	tx := &Tx{conn: conn}
	defer tx.rollback(ctx)
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.commit(ctx); err != nil {
		return err
	}
	for _, run := range tx.after {
		run()
	}
	return nil
}

func (db *DB) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	conn, err := patiently(ctx, func() (*pgxpool.Conn, error) { return db.pool.Acquire(ctx) })
	if err != nil {
		return nil, fmt.Errorf("acquire connection: %w", err)
	}
	return conn, nil
}

// Transact is [InTx] for packages that know only pgx. Statements run at once, each in a round trip.
func (db *DB) Transact(ctx context.Context, fn func(tx pgx.Tx) error) error {
	if err := db.ready(ctx); err != nil {
		return err
	}
	conn, err := db.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return pgx.BeginFunc(ctx, conn, fn)
}

// Queue has sql sent with the commit. It must not be one whose rows matter; its error fails the commit.
func (tx *Tx) Queue(sql string, args ...any) { tx.queued.Queue(sql, args...) }

// AfterCommit has run called once the commit is known to have happened.
func (tx *Tx) AfterCommit(run func()) { tx.after = append(tx.after, run) }

// Query runs sql now. The first statement of a transaction begins it in the same round trip, and its rows are then
// read before Query returns.
func (tx *Tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if tx.begun {
		return tx.conn.Query(ctx, sql, args...)
	}
	batch := &pgx.Batch{}
	batch.Queue(sql, args...)
	results := tx.SendBatch(ctx, batch)
	rows, err := results.Query()
	if err != nil {
		return nil, errors.Join(err, results.Close())
	}
	return &firstRows{Rows: rows, results: results}, nil
}

// firstRows ends the batch that brought its rows when it is closed.
type firstRows struct {
	pgx.Rows
	results pgx.BatchResults
	err     error
}

func (r *firstRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

func (r *firstRows) Close() {
	r.Rows.Close()
	if r.results != nil {
		r.err = r.results.Close()
		r.results = nil
	}
}

func (r *firstRows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return err
	}
	return r.err
}

// Exec runs sql now and returns how many rows it touched.
func (tx *Tx) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	if tx.begun {
		tag, err := tx.conn.Exec(ctx, sql, args...)
		return tag.RowsAffected(), err
	}
	batch := &pgx.Batch{}
	batch.Queue(sql, args...)
	results := tx.SendBatch(ctx, batch)
	tag, err := results.Exec()
	return tag.RowsAffected(), errors.Join(err, results.Close())
}

// SendBatch runs the queued statements now, in one round trip. The caller reads all results and closes them.
func (tx *Tx) SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults {
	if tx.begun {
		return tx.conn.SendBatch(ctx, batch)
	}
	tx.begun = true
	first := &pgx.Batch{}
	first.Queue("BEGIN")
	first.QueuedQueries = append(first.QueuedQueries, batch.QueuedQueries...)
	results := tx.conn.SendBatch(ctx, first)
	if _, err := results.Exec(); err != nil {
		return failedBatch{BatchResults: results, err: err}
	}
	return results
}

// failedBatch is the result of a batch whose BEGIN failed.
type failedBatch struct {
	pgx.BatchResults
	err error
}

func (b failedBatch) Exec() (pgconn.CommandTag, error) { return pgconn.CommandTag{}, b.err }
func (b failedBatch) Query() (pgx.Rows, error)         { return nil, b.err }
func (b failedBatch) QueryRow() pgx.Row                { return failedRow(b) }

type failedRow failedBatch

func (r failedRow) Scan(...any) error { return r.err }

// commit sends what is queued and COMMIT in one round trip.
func (tx *Tx) commit(ctx context.Context) error {
	if !tx.begun && tx.queued.Len() == 0 {
		return nil
	}
	batch := &pgx.Batch{}
	batch.QueuedQueries = append(batch.QueuedQueries, tx.queued.QueuedQueries...)
	batch.Queue("COMMIT")
	results := tx.SendBatch(ctx, batch)
	var err error
	var tag pgconn.CommandTag
	for range batch.Len() {
		if tag, err = results.Exec(); err != nil {
			break
		}
	}
	if err = errors.Join(err, results.Close()); err != nil {
		if !refused(err) {
			err = errors.Join(errInDoubt, err)
		}
		return fmt.Errorf("commit: %w", err)
	}
	if tag.String() != "COMMIT" {
		return errors.New("commit: the transaction was rolled back")
	}
	tx.begun = false
	return nil
}

// refused returns whether err says that a batch with COMMIT had no effect: PostgreSQL answered a statement with an
// error, which ends the transaction, or nothing was sent. What ends a session says nothing, nor does a pooler's word. That a
// connection is closed is what pgx says also of one that was cut behind the COMMIT, although it calls that safe to retry.
func refused(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.SeverityUnlocalized == "ERROR" ||
		pgconn.SafeToRetry(err) && !errors.Is(err, pgconn.ErrConnClosed)
}

const rollbackTimeout = time.Second

// rollback ends a transaction that was not committed. A connection on which that fails is closed by the pool.
func (tx *Tx) rollback(ctx context.Context) {
	if !tx.begun {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	if _, err := tx.conn.Exec(ctx, "ROLLBACK"); err != nil {
		_ = tx.conn.Conn().Close(ctx)
	}
}

// isNetwork returns whether err is what a connection says when its other end is gone.
func isNetwork(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, pgconn.ErrConnClosed)
}
