package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/pg"
)

// An entry is a line of the audit log, but for who, when and from where. Before and after hold ids, roles and instants, never a name or
// an address of the app's people: the line outlives them.
type entry struct {
	Act     string
	Subject string // such as people/7
	Before  any
	After   any
}

// subject names what an act is done to.
func subject(collection string, id int64) string { return collection + "/" + strconv.FormatInt(id, 10) }

const insertAudit = `
INSERT INTO admin_audit (account_id, act, subject, before, after, address)
VALUES (nullif($1::bigint, 0), $2, $3, $4::jsonb, $5::jsonb, $6)`

// record writes the entry with the commit of tx. account is whose act it was.
func (s *service) record(ctx context.Context, tx *pg.Tx, account int64, e entry) error {
	before, err := orNull(e.Before)
	if err != nil {
		return err
	}
	after, err := orNull(e.After)
	if err != nil {
		return err
	}
	tx.Queue(insertAudit, account, e.Act, e.Subject, before, after, api.Address(ctx))
	return nil
}

func orNull(value any) (*string, error) {
	if value == nil {
		return nil, nil //nolint:nilnil // SQL's null
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("write audit: %w", err)
	}
	return new(string(text)), nil
}
