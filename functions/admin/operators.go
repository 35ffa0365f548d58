package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// A colleague is an operator's account, as other operators see it.
type colleague struct {
	ID         int64      `json:"id" example:"1"`
	Email      string     `json:"email" example:"olga@example.com"`
	Role       role       `json:"role" enum:"admin,support" doc:"support reads and does not act" example:"admin"`
	CreatedAt  time.Time  `json:"created_at" example:"2026-06-01T08:00:00Z"`
	EnrolledAt *time.Time `json:"enrolled_at" doc:"null until they have chosen a password" example:"2026-06-01T09:00:00Z"`
	DisabledAt *time.Time `json:"disabled_at" doc:"null while the account works" example:"2026-06-02T08:00:00Z"`
	Sessions   int        `json:"sessions" doc:"How many are open" example:"1"`
}

func (s *service) operators() resource {
	return resource{
		listing: list[colleague]{
			Name: operators, Title: "Operators",
			About:  "Who may use this panel. An account is made, or opened again for a new password and authenticator, on the command line: make admin EMAIL=olga@example.com ROLE=support. Nobody sees or sets somebody else's password.",
			Search: "addresses", States: []string{"active", "disabled", "invited"},
			Columns: []column[colleague]{
				{"Operator", func(c colleague) cell { return linked(operators, &c.ID, c.Email) }},
				{"Role", func(c colleague) cell { return text(string(c.Role)) }},
				{"State", func(c colleague) cell { return c.state() }},
				{"Sessions", func(c colleague) cell { return number(c.Sessions) }},
				{"Enrolled", func(c colleague) cell { return instant(c.EnrolledAt) }},
				{"Disabled", func(c colleague) cell { return instant(c.DisabledAt) }},
			},
			Find: s.findOperators,
			Mark: func(_ query, c colleague) mark { return mark{ID: c.ID} },
		},
		item: one[colleague]{Name: operators, Summary: "One operator's account", Load: s.loadOperator, View: s.viewOperator},
		acts: s.actsOnOperators(),
	}
}

func (c colleague) state() cell {
	switch {
	case c.DisabledAt != nil:
		return cell{Text: "disabled", Tone: "bad"}
	case c.EnrolledAt == nil:
		return muted("invited")
	default:
		return cell{Text: "active", Tone: "good"}
	}
}

const selectColleagues = `
SELECT a.id, a.email, a.role, a.created_at, a.enrolled_at, a.disabled_at,
    (SELECT count(*) FROM admin_session s WHERE s.account_id = a.id AND s.expires_at > now()) AS sessions
FROM admin_account a
WHERE `

const pageOfColleagues = selectColleagues + `a.id < $2::bigint
    AND ($3::text = '' OR lower(a.email) LIKE $3::text)
    AND CASE $4::text WHEN 'active' THEN a.disabled_at IS NULL AND a.enrolled_at IS NOT NULL WHEN 'disabled' THEN a.disabled_at IS NOT NULL
        WHEN 'invited' THEN a.disabled_at IS NULL AND a.enrolled_at IS NULL ELSE true END
ORDER BY a.id DESC LIMIT $1::int`

func (s *service) findOperators(ctx context.Context, q query) ([]colleague, error) {
	found, err := pg.All[colleague](ctx, s.DB, pageOfColleagues, q.Limit, q.below(), containing(q.Q), q.State)
	if err != nil {
		return nil, fmt.Errorf("list operators: %w", err)
	}
	return found, nil
}

func (s *service) loadOperator(ctx context.Context, text string) (colleague, error) {
	id, err := idOf(text)
	if err != nil {
		return colleague{}, err
	}
	found, err := pg.One[colleague](ctx, s.DB, selectColleagues+`a.id = $1::bigint`, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return colleague{}, problem.NotFound()
	}
	if err != nil {
		return colleague{}, fmt.Errorf("look up operator %d: %w", id, err)
	}
	return found, nil
}

func (s *service) viewOperator(ctx context.Context, c colleague) (view, error) {
	lines, err := s.partOf(ctx, audit, operators, c.ID)
	if err != nil {
		return view{}, fmt.Errorf("what operator %d did: %w", c.ID, err)
	}
	lines.Title = "What they did last"
	v := view{
		Title: c.Email,
		Facts: []fact{
			{"Id", number(c.ID)},
			{"Role", text(string(c.Role))},
			{"State", c.state()},
			{"Open sessions", number(c.Sessions)},
			{"Made", instant(&c.CreatedAt)},
			{"Enrolled", instant(c.EnrolledAt)},
			{"Disabled", instant(c.DisabledAt)},
			{"A new password or authenticator", text("make admin EMAIL=" + c.Email + " ROLE=" + string(c.Role))},
		},
		Parts: []part{lines},
	}
	if operatorOf(ctx).ID == c.ID {
		return v, nil // nobody acts on their own account
	}
	v.Acts = append(v.Acts, "change-role")
	if c.Sessions > 0 {
		v.Acts = append(v.Acts, "end-sessions")
	}
	if c.DisabledAt == nil {
		v.Acts = append(v.Acts, "disable")
	} else {
		v.Acts = append(v.Acts, "enable")
	}
	return v, nil
}
