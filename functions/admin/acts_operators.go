package main

import (
	"context"
	"fmt"
	"time"

	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

func (s *service) actsOnOperators() []act {
	return []act{
		{
			Name: "change-role", Title: "Change the role",
			Asks:    "An admin acts, support only reads. The operator is signed out everywhere, and has the new role when they sign in again.",
			Choices: []choice{{Name: "role", Label: "Role", Options: []string{string(adminRole), string(supportRole)}}},
			Do:      s.changeOperatorsRole,
		},
		{
			Name: "end-sessions", Title: "End all sessions",
			Asks: "The operator is signed out everywhere at once, and signs in again with their password and a code.",
			Do:   s.endSessionsOfOperator,
		},
		{
			Name: "disable", Title: "Disable the account",
			Asks: "The operator is signed out everywhere at once and cannot sign in. What they did stays in the audit log.",
			Do:   s.disableOperator,
		},
		{
			Name: "enable", Title: "Enable the account",
			Asks: "The operator can sign in again, with the password and the authenticator that they had.",
			Do:   s.enableOperator,
		},
	}
}

// A post is what an operator may, before and after an act.
type post struct {
	Role       role       `json:"role"`
	DisabledAt *time.Time `json:"disabled_at"`
}

const (
	lockOperators = `SELECT id, role, disabled_at FROM admin_account WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE`

	setPost = `UPDATE admin_account SET role = $2, disabled_at = $3::timestamptz WHERE id = $1`

	endOperator = `DELETE FROM admin_session WHERE account_id = $1`

	countSessions = `SELECT count(*) FROM admin_session WHERE account_id = $1 AND expires_at > now()`
)

// onOperator runs do in a transaction that holds the accounts of an operator and of the one who acts, in the order of their ids. Nobody
// acts on their own account, and whoever was disabled or lost the role a moment ago does not act: so there is always an admin left.
func (s *service) onOperator(ctx context.Context, text string, do func(tx *pg.Tx, id int64, was post) (entry, error)) (entry, error) {
	id, err := idOf(text)
	if err != nil {
		return entry{}, err
	}
	me := operatorOf(ctx)
	if id == me.ID {
		return entry{}, problem.Conflict("This is your own account: have another admin do it.", nil)
	}
	var done entry
	err = pg.InTx(ctx, s.DB, func(tx *pg.Tx) error {
		was, err := lockPost(ctx, tx, id, me.ID)
		if err != nil {
			return err
		}
		if done, err = do(tx, id, was); err != nil {
			return err
		}
		return s.record(ctx, tx, me.ID, done)
	})
	if err != nil {
		return entry{}, fmt.Errorf("act on operator %d: %w", id, err)
	}
	return done, nil
}

func lockPost(ctx context.Context, tx *pg.Tx, id, mine int64) (post, error) {
	type locked struct {
		ID int64
		post
	}
	rows, err := pg.All[locked](ctx, tx, lockOperators, []int64{id, mine})
	if err != nil {
		return post{}, fmt.Errorf("lock operators: %w", err)
	}
	var was *post
	var me post
	for _, found := range rows {
		if found.ID == id {
			was = &found.post
		}
		if found.ID == mine {
			me = found.post
		}
	}
	switch {
	case me.DisabledAt != nil:
		return post{}, problem.Unauthenticated()
	case me.Role != adminRole:
		return post{}, operator{Role: me.Role}.mayAct()
	case was == nil:
		return post{}, problem.NotFound()
	}
	return *was, nil
}

func (s *service) changeOperatorsRole(ctx context.Context, in acting) (entry, error) {
	return s.onOperator(ctx, in.ID, func(tx *pg.Tx, id int64, was post) (entry, error) {
		is := was
		if is.Role = role(in.Chosen["role"]); is.Role == was.Role {
			return entry{}, problem.Conflict("This is their role already.", nil)
		}
		tx.Queue(setPost, id, string(is.Role), is.DisabledAt)
		tx.Queue(endOperator, id)
		return entry{"change-role", subject(operators, id), was, is}, nil
	})
}

func (s *service) disableOperator(ctx context.Context, in acting) (entry, error) {
	return s.onOperator(ctx, in.ID, func(tx *pg.Tx, id int64, was post) (entry, error) {
		if was.DisabledAt != nil {
			return entry{}, problem.Conflict("This account is disabled already.", nil)
		}
		is := was
		is.DisabledAt = new(s.moment())
		tx.Queue(setPost, id, string(is.Role), is.DisabledAt)
		tx.Queue(endOperator, id)
		return entry{"disable", subject(operators, id), was, is}, nil
	})
}

func (s *service) enableOperator(ctx context.Context, in acting) (entry, error) {
	return s.onOperator(ctx, in.ID, func(tx *pg.Tx, id int64, was post) (entry, error) {
		if was.DisabledAt == nil {
			return entry{}, problem.Conflict("This account works already.", nil)
		}
		is := was
		is.DisabledAt = nil
		tx.Queue(setPost, id, string(is.Role), nil)
		return entry{"enable", subject(operators, id), was, is}, nil
	})
}

func (s *service) endSessionsOfOperator(ctx context.Context, in acting) (entry, error) {
	return s.onOperator(ctx, in.ID, func(tx *pg.Tx, id int64, _ post) (entry, error) {
		open, err := pg.Value[int](ctx, tx, countSessions, id)
		if err != nil {
			return entry{}, fmt.Errorf("count sessions: %w", err)
		}
		if open == 0 {
			return entry{}, problem.Conflict("Nobody is signed in with this account.", nil)
		}
		tx.Queue(endOperator, id)
		return entry{"end-sessions", subject(operators, id), counted{open}, counted{0}}, nil
	})
}
