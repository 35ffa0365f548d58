package main

import (
	"context"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// partRows are how many rows the page of something shows of what belongs to it.
const partRows = 50

// partsOf returns the first rows of lists as parts of the page of one of a collection. They are asked for side by side: an ocean may
// lie between.
func (s *service) partsOf(ctx context.Context, collection string, id int64, names ...string) ([]part, error) {
	parts := make([]part, len(names))
	group, ctx := errgroup.WithContext(ctx)
	for i, name := range names {
		group.Go(func() (err error) {
			parts[i], err = s.partOf(ctx, name, collection, id)
			return err
		})
	}
	return parts, group.Wait()
}

// partWith is a part whose rows are there already.
func partWith[T any](title string, rows []T, columns ...column[T]) part {
	return part{Title: title, table: tableOf(rows, columns)}
}

// into collects the rows of a statement of a batch.
func into[T any](rows *[]T) func(pgx.Rows) error {
	return func(found pgx.Rows) (err error) {
		*rows, err = pgx.CollectRows(found, pgx.RowToStructByName[T])
		return err
	}
}

// oneInto reads the row of a statement of a batch; no row is pgx.ErrNoRows.
func oneInto[T any](value *T) func(pgx.Rows) error {
	return func(found pgx.Rows) (err error) {
		*value, err = pgx.CollectExactlyOneRow(found, pgx.RowToStructByName[T])
		return err
	}
}

// yes says a truth, where it is known.
func yes(value *bool) cell {
	switch {
	case value == nil:
		return cell{}
	case *value:
		return text("yes")
	default:
		return text("no")
	}
}
