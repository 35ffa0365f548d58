package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/idempotency"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

type member struct {
	UserID int64
	Role   home.Role
}

// members is everyone who belongs to a home.
type members []member

func (all members) find(person int64) (member, bool) {
	i := slices.IndexFunc(all, func(m member) bool { return m.UserID == person })
	if i < 0 {
		return member{}, false
	}
	return all[i], true
}

// access returns what person may do in the home id; 404 for a stranger.
func (all members) access(person, id int64) (home.Access, error) {
	found, ok := all.find(person)
	if !ok {
		return home.Access{}, problem.NotFound()
	}
	return home.Access{ResidenceID: id, UserID: person, Role: found.Role, Members: all.ids()}, nil
}

func (all members) ids() []int64 {
	ids := make([]int64, len(all))
	for i, m := range all {
		ids[i] = m.UserID
	}
	return ids
}

const (
	selectMembers = `SELECT user_id, role FROM residence_member WHERE residence_id = $1 ORDER BY user_id`
	insertMember  = `INSERT INTO residence_member (residence_id, user_id, role) VALUES ($1, $2, $3)`
	updateRole    = `UPDATE residence_member SET role = $3 WHERE residence_id = $1 AND user_id = $2`
	deleteMember  = `DELETE FROM residence_member WHERE residence_id = $1 AND user_id = $2`

	// The row's lock stands before any other of the home's, here and wherever the home is written to: nobody can wait in
	// a circle. It keeps out whoever holds the members still while writing what they see.
	lockHome = `SELECT id FROM residence_residence WHERE id = $1 FOR UPDATE`

	// It comes before the tasks are taken off. Behind that lock nobody is given one between the two.
	tellUnassigned = `
INSERT INTO task_taskcompletion (task_id, completed_by_id, completed_on, occurrence_on, before_in_progress, kind, unassigned_id)
SELECT id, $3::bigint, $4::date, next_due_on, in_progress, 'unassigned', $2::bigint FROM task_task
WHERE residence_id = $1 AND assigned_to_id = $2 ORDER BY id`

	unassignTasks = `UPDATE task_task SET assigned_to_id = NULL, updated_at = now() WHERE residence_id = $1 AND assigned_to_id = $2`
)

// errMoved means that someone joined between the look at a home and its change, whose board is not marked.
var errMoved = errors.New("the members of the home changed meanwhile")

// reshape runs fn, which changes who belongs to a home, in a transaction that has the home to itself; all is who belongs
// to it then. look finds the home and everyone whose board the change touches, and refuses early; it is asked again when
// someone joined meanwhile. fn refuses by what is true under the lock, and is not run when guard has an answer already.
func (s *service) reshape(ctx context.Context, guard *idempotency.Guard, look func(ctx context.Context) (id int64, people []int64, err error), fn func(tx *pg.Tx, all members) error) error {
	const tries = 5
	for range tries {
		id, people, err := look(ctx)
		if err != nil {
			return err
		}
		if err = s.reshapeOnce(ctx, guard, id, people, fn); !errors.Is(err, errMoved) {
			return err
		}
	}
	return problem.Unavailable()
}

func (s *service) reshapeOnce(ctx context.Context, guard *idempotency.Guard, id int64, people []int64, fn func(tx *pg.Tx, all members) error) error {
	guard.About(id)
	settle := s.Cache.Mark(ctx, people)
	err := pg.InTx(ctx, s.DB, func(tx *pg.Tx) error {
		all, err := lockMembers(ctx, tx, guard, id)
		if err != nil || guard.Replayed() {
			return err
		}
		if len(all) == 0 {
			return problem.NotFound()
		}
		for _, m := range all {
			if !slices.Contains(people, m.UserID) {
				return errMoved
			}
		}
		return fn(tx, all)
	})
	// A commit in doubt may still happen: the marker stays, and outlives the transaction.
	if !pg.InDoubt(err) {
		settle(ctx)
	}
	return err
}

// lockMembers has the home to itself until tx ends. Without a home there are no members.
func lockMembers(ctx context.Context, tx *pg.Tx, guard *idempotency.Guard, id int64) (members, error) {
	var all []member
	batch := &pgx.Batch{}
	guard.Queue(batch)
	batch.Queue(lockHome, id)
	batch.Queue(selectMembers, id).Query(into(&all, pgx.RowToStructByName[member]))
	results := tx.SendBatch(ctx, batch)
	if err := errors.Join(guard.Read(results), results.Close()); err != nil {
		return nil, fmt.Errorf("lock members of residence %d: %w", id, err)
	}
	return all, nil
}

// administer is reshape for someone who belongs to the home id: may says whether the change is allowed, by who belongs
// to the home, before the transaction and under its lock.
func (s *service) administer(ctx context.Context, id int64, may func(all members) error, fn func(tx *pg.Tx, all members) error) error {
	look := func(ctx context.Context) (int64, []int64, error) {
		found, err := pg.All[member](ctx, s.DB, selectMembers, id)
		if err != nil {
			return 0, nil, fmt.Errorf("read members of residence %d: %w", id, err)
		}
		return id, members(found).ids(), may(found)
	}
	return s.reshape(ctx, &idempotency.Guard{}, look, func(tx *pg.Tx, all members) error {
		if err := may(all); err != nil {
			return err
		}
		return fn(tx, all)
	})
}

// A Member is a member of a home as the other members see them.
type Member struct {
	ID        int64     `json:"id" example:"12"`
	FirstName string    `json:"first_name" example:"Ann"`
	LastName  string    `json:"last_name" example:"Lee"`
	Email     string    `json:"email" format:"email" example:"ann@example.com"`
	Role      home.Role `json:"role" enum:"owner,member,viewer" example:"member"`
	JoinedAt  time.Time `json:"joined_at" example:"2026-03-10T11:00:00Z"`
}

const users = `
SELECT u.id, u.first_name, u.last_name, u.email, m.role, m.joined_at
FROM residence_member m JOIN auth_user u ON u.id = m.user_id
WHERE m.residence_id = $1 `

const selectUser = users + `AND m.user_id = $2`

const selectUsers = users + `AND m.user_id > $3
    AND EXISTS (SELECT FROM residence_member o WHERE o.residence_id = $1 AND o.user_id = $2)
ORDER BY m.user_id LIMIT $4`

// usersOf returns at most n members of the home id whose ids lie behind after; 404 when person is none of them.
func usersOf(ctx context.Context, q pg.Querier, person, id, after int64, n int) ([]Member, error) {
	found, err := pg.All[Member](ctx, q, selectUsers, id, person, after, n)
	if err != nil {
		return nil, fmt.Errorf("read users of residence %d: %w", id, err)
	}
	if len(found) == 0 {
		_, err = home.Of(ctx, q, person, id)
	}
	return found, err
}
