package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/honeydue/backend/shared/pg"
)

// An auditLine is one of the audit log.
type auditLine struct {
	ID         int64           `json:"id" example:"12"`
	At         time.Time       `json:"at" example:"2026-06-01T08:00:00Z"`
	OperatorID *int64          `json:"operator_id" doc:"Who; null for the command line" example:"1"`
	Operator   *string         `json:"operator" doc:"Their address" example:"olga@example.com"`
	Act        string          `json:"act" example:"disable"`
	Subject    string          `json:"subject" doc:"To what" example:"people/7"`
	Before     json.RawMessage `json:"before" doc:"What was; null for what was not there" example:"{\"disabled_at\": null}"`
	After      json.RawMessage `json:"after" doc:"What is since" example:"{\"disabled_at\": \"2026-06-01T08:00:00Z\"}"`
	Address    string          `json:"address" doc:"From where" example:"192.0.2.7"`
}

func (s *service) audit() resource {
	return resource{
		listing: list[auditLine]{
			Name: audit, Title: "Audit log", About: "What operators did, newest first. It is only ever added to.",
			Of: []string{people, operators},
			Columns: []column[auditLine]{
				{"When", func(l auditLine) cell { return instant(&l.At) }},
				{"Who", func(l auditLine) cell { return l.who() }},
				{"Act", func(l auditLine) cell { return text(l.Act) }},
				{"To", func(l auditLine) cell { return cell{Text: l.Subject, Link: s.pageOf(l.Subject)} }},
				{"Before → after", func(l auditLine) cell { return l.change() }},
				{"From", func(l auditLine) cell { return text(l.Address) }},
			},
			Find: s.findAudit,
			Mark: func(_ query, l auditLine) mark { return mark{ID: l.ID} },
		},
	}
}

func (l auditLine) who() cell {
	if l.Operator == nil {
		return muted("command line")
	}
	return linked(operators, l.OperatorID, *l.Operator)
}

func (l auditLine) change() cell {
	if l.Before == nil && l.After == nil {
		return cell{}
	}
	side := func(value json.RawMessage) string {
		if value == nil {
			return "–"
		}
		return string(value)
	}
	return text(side(l.Before) + " → " + side(l.After))
}

// pageOf returns the address of what the log names, empty when such things have no page. It may lead to what is gone by now.
func (s *service) pageOf(subject string) string {
	collection, _, _ := strings.Cut(subject, "/")
	if found := s.resource(collection); found == nil || found.item == nil {
		return ""
	}
	return "/" + subject + "/"
}

const selectAudit = `
SELECT l.id, l.at, l.account_id AS operator_id, a.email AS operator, l.act, l.subject, l.before, l.after, l.address
FROM admin_audit l LEFT JOIN admin_account a ON a.id = l.account_id
WHERE l.id < $2::bigint`

const newestLines = ` ORDER BY l.id DESC LIMIT $1::int`

// findAudit returns what was done, on one of the app's people or by one operator where q says so.
func (s *service) findAudit(ctx context.Context, q query) ([]auditLine, error) {
	sql, args := selectAudit, []any{q.Limit, q.below()}
	switch q.Of {
	case people:
		sql, args = sql+` AND l.subject = $3`, append(args, subject(people, q.OfID))
	case operators:
		sql, args = sql+` AND l.account_id = $3::bigint`, append(args, q.OfID)
	}
	found, err := pg.All[auditLine](ctx, s.DB, sql+newestLines, args...)
	if err != nil {
		return nil, fmt.Errorf("list audit log: %w", err)
	}
	return found, nil
}
