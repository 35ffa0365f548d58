// Package home says who belongs to a residence and what that lets them do, and makes changes that its members
// see: authorised, once for an idempotency key, and with their boards forgotten.
package home

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/cache"
	"github.com/honeydue/backend/shared/idempotency"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// A Role is what a member may do: a viewer reads, a member works, an owner administers.
type Role string

// The roles of a home. It always has exactly one owner.
const (
	Owner  Role = "owner"
	Member Role = "member"
	Viewer Role = "viewer"
)

// Access is one person's relation to one home, and who else is in it.
type Access struct {
	ResidenceID int64
	UserID      int64
	Role        Role
	Members     []int64 // everyone who sees the home, the person included
}

// MayWork refuses viewers.
func (a Access) MayWork() error {
	if a.Role == Viewer {
		return problem.Forbidden("A viewer may look at this home but not change it.")
	}
	return nil
}

// MayAdminister refuses everyone but the owner.
func (a Access) MayAdminister() error {
	if a.Role != Owner {
		return problem.Forbidden("Only the owner of this home may do this.")
	}
	return nil
}

// MembersOf is SQL that gives the members of the residence that expr names, as an array of ids.
func MembersOf(expr string) string {
	return `ARRAY(SELECT o.user_id FROM residence_member o WHERE o.residence_id = ` + expr + ` ORDER BY o.user_id)`
}

// PrimaryTurn is SQL that waits, until the transaction ends, for the turn of the person that expr names to change which of
// their homes is primary. Whoever takes it does so before holding any home: so no two wait for each other's homes.
func PrimaryTurn(expr string) string {
	return `pg_advisory_xact_lock(hashtextextended('residence_residence.is_primary of ' || ` + expr + `, 0))`
}

var selectAccess = `
SELECT m.residence_id, m.user_id, m.role, ` + MembersOf("m.residence_id") + ` AS members
FROM residence_member m WHERE m.residence_id = $1 AND m.user_id = $2`

// Of returns user's access to a residence. Whoever is no member gets the 404 of what is not there.
func Of(ctx context.Context, q pg.Querier, user, residence int64) (Access, error) {
	access, err := pg.One[Access](ctx, q, selectAccess, residence, user)
	if errors.Is(err, pgx.ErrNoRows) {
		return Access{}, problem.NotFound()
	}
	if err != nil {
		return Access{}, fmt.Errorf("look up access to residence %d: %w", residence, err)
	}
	return access, nil
}

// OfWorker is [Of] for somebody who is to work there, which a viewer may not.
func OfWorker(ctx context.Context, q pg.Querier, user, residence int64) (Access, error) {
	access, err := Of(ctx, q, user, residence)
	if err != nil {
		return Access{}, err
	}
	return access, access.MayWork()
}

// Homes makes changes that the members of a home see.
type Homes struct {
	DB    *pg.DB
	Cache *cache.Cache
}

// errMoved means that someone joined, left or changed roles between the look at a home and its change.
var errMoved = errors.New("the members of the home changed meanwhile")

const lockHome = `SELECT id FROM residence_residence WHERE id = $1 FOR KEY SHARE`

const selectMembers = `SELECT user_id, role FROM residence_member WHERE residence_id = $1`

type member struct {
	UserID int64
	Role   Role
}

// An Ask is a question that a change needs answered first: it travels with the locks and is asked behind them.
type Ask interface {
	Queue(batch *pgx.Batch)
	Read(results pgx.BatchResults) error
}

// Change runs fn in a transaction in which nobody joins or leaves the home. look finds the caller's access before it
// and refuses; it is asked again when the members changed meanwhile. asks are read before fn, which is not run when guard
// has an answer already. Its round trips: look, one for BEGIN with all locks and asks, what fn asks, and one for COMMIT.
func (h Homes) Change(ctx context.Context, guard *idempotency.Guard, look func(ctx context.Context) (Access, error), fn func(tx *pg.Tx, access Access) error, asks ...Ask) error {
	const tries = 5
	for try := 1; ; try++ {
		access, err := look(ctx)
		if err != nil {
			return err
		}
		err = h.change(ctx, guard, access, fn, asks)
		if !errors.Is(err, errMoved) {
			return err
		}
		if try == tries {
			return problem.Unavailable()
		}
	}
}

func (h Homes) change(ctx context.Context, guard *idempotency.Guard, access Access, fn func(tx *pg.Tx, access Access) error, asks []Ask) error {
	guard.About(access.ResidenceID)
	settle := h.Cache.Mark(ctx, access.Members)
	err := pg.InTx(ctx, h.DB, func(tx *pg.Tx) error {
		if err := lock(ctx, tx, guard, access, asks); err != nil {
			return err
		}
		if guard.Replayed() {
			return nil
		}
		return fn(tx, access)
	})
	// A commit in doubt may still happen: the marker stays, and outlives the transaction.
	if !pg.InDoubt(err) {
		settle(ctx)
	}
	return err
}

// lock holds the home's members still and checks that they are those whose boards were marked.
func lock(ctx context.Context, tx *pg.Tx, guard *idempotency.Guard, access Access, asks []Ask) (err error) {
	batch := &pgx.Batch{}
	guard.Queue(batch)
	batch.Queue(lockHome, access.ResidenceID)
	batch.Queue(selectMembers, access.ResidenceID)
	for _, ask := range asks {
		ask.Queue(batch)
	}
	results := tx.SendBatch(ctx, batch)
	defer func() { err = errors.Join(err, results.Close()) }()
	if err := guard.Read(results); err != nil {
		return err
	}
	if _, err := results.Exec(); err != nil {
		return fmt.Errorf("lock residence %d: %w", access.ResidenceID, err)
	}
	rows, err := results.Query()
	if err != nil {
		return fmt.Errorf("ask for members of residence %d: %w", access.ResidenceID, err)
	}
	members, err := pgx.CollectRows(rows, pgx.RowToStructByName[member])
	if err != nil {
		return fmt.Errorf("read members of residence %d: %w", access.ResidenceID, err)
	}
	own := false
	for _, m := range members {
		if !slices.Contains(access.Members, m.UserID) {
			return errMoved
		}
		own = own || m.UserID == access.UserID && m.Role == access.Role
	}
	if !own || len(members) != len(access.Members) {
		return errMoved
	}
	if guard.Replayed() {
		return nil
	}
	for _, ask := range asks {
		if err := ask.Read(results); err != nil {
			return err
		}
	}
	return nil
}
