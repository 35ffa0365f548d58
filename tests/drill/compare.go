package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// Tables with the columns by which their rows are sorted: the primary key, or all that is there.
const selectTables = `
SELECT format('COPY (SELECT t.* FROM %1$s t ORDER BY %2$s) TO STDOUT', c.oid::regclass,
    coalesce((SELECT string_agg(format('t.%I', a.attname), ', ' ORDER BY array_position(i.indkey::int2[], a.attnum))
        FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey) WHERE i.indrelid = c.oid AND i.indisprimary), 't::text COLLATE "C"'))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY c.relname`

// compare reads every table of both databases, row beside row, and returns how many rows there are. The first that differs is an error,
// which says where and not what.
func compare(ctx context.Context, from, to string) (rows int64, err error) {
	conns, closing, err := connections(ctx, from, to)
	defer closing()
	if err != nil {
		return 0, err
	}
	var queries [2][]string
	for i, conn := range conns {
		found, err := conn.Query(ctx, selectTables)
		if err != nil {
			return 0, fmt.Errorf("list tables: %w", err)
		}
		if queries[i], err = pgx.CollectRows(found, pgx.RowTo[string]); err != nil {
			return 0, fmt.Errorf("list tables: %w", err)
		}
	}
	if fmt.Sprint(queries[0]) != fmt.Sprint(queries[1]) {
		return 0, errors.New("the databases do not have the same tables")
	}
	for _, query := range queries[0] {
		n, err := compareTable(ctx, conns[0], conns[1], query)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", query, err)
		}
		rows += n
	}
	return rows, nil
}

func compareTable(ctx context.Context, a, b *pgx.Conn, query string) (rows int64, err error) {
	group, reading := errgroup.WithContext(ctx)
	stream := func(conn *pgx.Conn) *io.PipeReader {
		out, in := io.Pipe()
		group.Go(func() error {
			_, err := conn.PgConn().CopyTo(reading, in, query)
			return errors.Join(err, in.CloseWithError(err))
		})
		return out
	}
	outA, outB := stream(a), stream(b)
	group.Go(func() (err error) {
		// Whoever writes ends with who reads.
		defer func() { err = errors.Join(err, outA.CloseWithError(err), outB.CloseWithError(err)) }()
		const room = 1 << 20
		left, right := bufio.NewReaderSize(outA, room), bufio.NewReaderSize(outB, room)
		for {
			one, errOne := left.ReadBytes('\n')
			other, errOther := right.ReadBytes('\n')
			switch {
			case errors.Is(errOne, io.EOF) && errors.Is(errOther, io.EOF):
				return nil
			case errOne != nil || errOther != nil:
				return fmt.Errorf("one ends after %d rows: %w", rows, errors.Join(errOne, errOther))
			case !bytes.Equal(one, other):
				return fmt.Errorf("row %d differs", rows+1)
			}
			rows++
		}
	})
	err = group.Wait()
	return rows, err
}
