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
	// Definitions are sums of what else there is, by names such as "trigger admin_audit.admin_audit_row": columns, constraints, indexes,
	// triggers, functions, and what each of our roles, and everybody, may do.
	Definitions map[string]string `json:"definitions"`
	Roles       []string          `json:"roles"` // that grants name
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
	// Second logins, which have what another role of ours has, are the migrate Job's to make.
	selectRoles = `SELECT rolname FROM pg_roles r WHERE rolname LIKE 'honeydue\_%' AND NOT EXISTS (
		SELECT FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid AND g.rolname LIKE 'honeydue\_%') ORDER BY 1`
	// A regclass as text is quoted where it must be.
	sumRows = `SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text FROM %s t`
)

// What grants say is compared for our roles alone, and for everybody: a provider has roles of its own, and a restore's owner is another.
const selectDefinitions = `
WITH relation AS (
    SELECT c.oid, c.relkind, c.relowner, c.relacl FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'S', 'v', 'm')
), routine AS (
    SELECT p.oid, p.proowner, p.proacl FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prokind IN ('f', 'p')
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
), granted (object, owner, acl) AS (
    SELECT oid::regclass::text, relowner, relacl FROM relation
    UNION ALL SELECT r.oid::regclass || '.' || a.attname, r.relowner, a.attacl FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid
    UNION ALL SELECT oid::regprocedure::text, proowner, coalesce(proacl, acldefault('f', proowner)) FROM routine
    UNION ALL SELECT 'schema ' || nspname, nspowner, nspacl FROM pg_namespace WHERE nspname = 'public'
)
SELECT 'column ' || r.oid::regclass || '.' || a.attname,
    concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity::text, a.attgenerated::text, pg_get_expr(d.adbin, d.adrelid))
FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
WHERE r.relkind = 'r'
UNION ALL SELECT 'view ' || oid::regclass, pg_get_viewdef(oid) FROM relation WHERE relkind IN ('v', 'm')
UNION ALL SELECT 'constraint ' || r.oid::regclass || '.' || o.conname, pg_get_constraintdef(o.oid) FROM relation r JOIN pg_constraint o ON o.conrelid = r.oid
UNION ALL SELECT 'index ' || i.indexrelid::regclass, pg_get_indexdef(i.indexrelid) FROM relation r JOIN pg_index i ON i.indrelid = r.oid
UNION ALL SELECT 'trigger ' || r.oid::regclass || '.' || t.tgname, concat(t.tgenabled, ' ', pg_get_triggerdef(t.oid))
    FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
UNION ALL SELECT 'function ' || oid::regprocedure, pg_get_functiondef(oid) FROM routine
UNION ALL SELECT 'extension ' || extname, '' FROM pg_extension
UNION ALL SELECT 'grant ' || x.privilege_type || ' on ' || g.object || ' to ' || coalesce(o.rolname, 'everybody'), bool_or(x.is_grantable)::text
    FROM granted g CROSS JOIN aclexplode(g.acl) x LEFT JOIN pg_roles o ON o.oid = x.grantee
    WHERE x.grantee <> g.owner AND (x.grantee = 0 OR o.rolname LIKE 'honeydue\_%') GROUP BY 1
ORDER BY 1`

// takeInventory looks through every table in the transaction.
func takeInventory(ctx context.Context, tx pgx.Tx) (h inventory, err error) {
	h = inventory{Tables: map[string]table{}, Sequences: map[string]int64{}, Definitions: map[string]string{}}
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
	rows, err = tx.Query(ctx, `SELECT what, hashtextextended(definition, 0)::text FROM (`+selectDefinitions+`) t (what, definition)`)
	if err != nil {
		return h, fmt.Errorf("list definitions: %w", err)
	}
	var sum string
	if _, err := pgx.ForEachRow(rows, []any{&name, &sum}, func() error { h.Definitions[name] = sum; return nil }); err != nil {
		return h, fmt.Errorf("list definitions: %w", err)
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
	for _, name := range slices.Sorted(maps.Keys(h.Definitions)) {
		switch found, ok := other.Definitions[name]; {
		case !ok:
			all = append(all, name+" is missing")
		case found != h.Definitions[name]:
			all = append(all, name+" is another one")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(other.Definitions)) {
		// A list of before they were in it has none.
		if _, ok := h.Definitions[name]; !ok && h.Definitions != nil {
			all = append(all, name+" is too many")
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
