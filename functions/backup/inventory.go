package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
)

// An inventory is what a database held at a moment: enough to see that another one holds the same.
type inventory struct {
	Tables    map[string]table `json:"tables"`
	Sequences map[string]int64 `json:"sequences"`
	Roles     []string         `json:"roles"` // that grants name
}

// A table is how many rows there are and the sum of their hashes, which does not depend on their order.
type table struct {
	Rows int64  `json:"rows"`
	Sum  string `json:"sum"`
}

func (h inventory) rows() (n int64) {
	for _, t := range h.Tables {
		n += t.Rows
	}
	return n
}

// Values are written as text, which depends on these.
const plainly = `SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'iso_8601'; SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1`

const (
	selectTables    = `SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY 1`
	selectSequences = `SELECT sequencename, coalesce(last_value, 0) FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1`
	selectRoles     = `SELECT rolname FROM pg_roles WHERE rolname LIKE 'honeydue\_%' ORDER BY 1`
	// A regclass as text is quoted where it must be.
	sumRows = `SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text FROM %s t`
)

// takeInventory looks through every table in the transaction.
func takeInventory(ctx context.Context, tx pgx.Tx) (h inventory, err error) {
	h = inventory{Tables: map[string]table{}, Sequences: map[string]int64{}}
	if _, err := tx.Exec(ctx, plainly); err != nil {
		return h, fmt.Errorf("look through tables: %w", err)
	}
	names, err := column(ctx, tx, selectTables)
	if err != nil {
		return h, fmt.Errorf("list tables: %w", err)
	}
	for _, name := range names {
		var t table
		if err := tx.QueryRow(ctx, fmt.Sprintf(sumRows, name)).Scan(&t.Rows, &t.Sum); err != nil {
			return h, fmt.Errorf("look through table %s: %w", name, err)
		}
		h.Tables[name] = t
	}
	rows, err := tx.Query(ctx, selectSequences)
	if err != nil {
		return h, fmt.Errorf("list sequences: %w", err)
	}
	var name string
	var last int64
	if _, err := pgx.ForEachRow(rows, []any{&name, &last}, func() error { h.Sequences[name] = last; return nil }); err != nil {
		return h, fmt.Errorf("list sequences: %w", err)
	}
	if h.Roles, err = column(ctx, tx, selectRoles); err != nil {
		return h, fmt.Errorf("list roles: %w", err)
	}
	return h, nil
}

func column(ctx context.Context, tx pgx.Tx, query string) ([]string, error) {
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// differences says where two differ, a line each.
func (h inventory) differences(other inventory) (all []string) {
	for _, name := range slices.Sorted(maps.Keys(h.Tables)) {
		switch found, ok := other.Tables[name]; {
		case !ok:
			all = append(all, "table "+name+" is missing")
		case found.Rows != h.Tables[name].Rows:
			all = append(all, fmt.Sprintf("table %s has %d rows, and had %d", name, found.Rows, h.Tables[name].Rows))
		case found != h.Tables[name]:
			all = append(all, "table "+name+" has as many rows, and others")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(other.Tables)) {
		if _, ok := h.Tables[name]; !ok {
			all = append(all, "table "+name+" is too many")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(h.Sequences)) {
		// No snapshot holds a sequence still: the dump, which is taken a little later, may have it further on.
		if other.Sequences[name] < h.Sequences[name] {
			all = append(all, fmt.Sprintf("sequence %s is at %d, and was at %d", name, other.Sequences[name], h.Sequences[name]))
		}
	}
	return all
}
