package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// A membership is what somebody is in a home, before and after an act.
type membership struct {
	Home int64     `json:"home"`
	Role home.Role `json:"role"`
}

// The home's row is locked as by its owner, who changes roles as well.
const (
	lockHome = `SELECT id FROM residence_residence WHERE id = $1 FOR UPDATE`

	selectRole = `SELECT residence_id AS home, role FROM residence_member WHERE residence_id = $1 AND user_id = $2`

	updateRole = `UPDATE residence_member SET role = $3 WHERE residence_id = $1 AND user_id = $2`
)

// changeRole makes a viewer of a member, or the other way round. What the person sees of the home is forgotten by the cache.
func (s *service) changeRole(ctx context.Context, in acting) (entry, error) {
	id, err := idOf(in.ID)
	if err != nil {
		return entry{}, err
	}
	at, err := idOf(in.Chosen["home"])
	if err != nil {
		return entry{}, err
	}
	role := home.Role(in.Chosen["role"])
	var done entry
	settle := s.Cache.Mark(ctx, []int64{id})
	err = pg.InTx(ctx, s.DB, func(tx *pg.Tx) error {
		if _, err := tx.Exec(ctx, lockHome, at); err != nil {
			return fmt.Errorf("lock home: %w", err)
		}
		was, err := pg.One[membership](ctx, tx, selectRole, at, id)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return problem.NotFound()
		case err != nil:
			return fmt.Errorf("look up role: %w", err)
		case was.Role == home.Owner:
			return problem.Conflict("This is the owner of the home: they make somebody else the owner first.", nil)
		case was.Role == role:
			return problem.Conflict("This is their role already.", nil)
		}
		tx.Queue(updateRole, at, id, string(role))
		done = entry{"change-role", subject(people, id), was, membership{at, role}}
		return s.record(ctx, tx, operatorOf(ctx).ID, done)
	})
	if !pg.InDoubt(err) {
		settle(ctx)
	}
	if err != nil {
		return entry{}, fmt.Errorf("change role of person %d: %w", id, err)
	}
	return done, nil
}
