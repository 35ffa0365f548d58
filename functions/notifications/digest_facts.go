package main

import (
	"context"
	"fmt"

	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/pg"
)

// selectDigest reads the first $3 lines of each list for the person $1 on their day $2, each with how many its list has.
var selectDigest = `
SELECT line.list, line.title, home.name AS home, line.due_on, line.total
FROM (
    SELECT found.*, row_number() OVER (PARTITION BY list ORDER BY due_on, id) AS place, count(*) OVER (PARTITION BY list) AS total
    FROM (
        SELECT CASE WHEN t.next_due_on < $2::date THEN 'overdue' ELSE 'week' END AS list, t.id, t.residence_id, t.title, t.next_due_on AS due_on
        ` + digestTasks("$1::bigint", "$2::date") + `
        UNION ALL
        SELECT 'warranty', d.id, d.residence_id, d.title, d.warranty_expires_on
        ` + digestWarranties("$1::bigint", "$2::date") + `
    ) found
) line JOIN residence_residence home ON home.id = line.residence_id
WHERE line.place <= $3::int
ORDER BY line.list, line.place`

type digestRow struct {
	List  string
	Title string
	Home  string
	DueOn date.Date
	Total int
}

// digestOf returns what a person's day brings as things stand, and nil when that is nothing.
func (s *service) digestOf(ctx context.Context, person int64, today date.Date) (*digest, error) {
	rows, err := pg.All[digestRow](ctx, s.db, selectDigest, person, today, linesOfDigest)
	if err != nil {
		return nil, fmt.Errorf("read digest: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	var d digest
	for _, r := range rows {
		lines, more := &d.Overdue, &d.MoreOverdue
		switch r.List {
		case "week":
			lines, more = &d.DueThisWeek, &d.MoreDueThisWeek
		case "warranty":
			lines, more = &d.Warranties, &d.MoreWarranties
		}
		*lines = append(*lines, digestLine{r.Title, r.Home, r.DueOn})
		*more = r.Total - len(*lines)
	}
	return &d, nil
}
