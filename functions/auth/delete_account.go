package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/api"
	"github.com/honeydue/backend/shared/authn"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/limit"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

type deleteAccountInput struct {
	Body struct {
		Password string `json:"password" minLength:"1" maxLength:"128" example:"seven quiet herons"`
	}
}

func (s *service) deleteAccount(ctx context.Context, in *deleteAccountInput) (*struct{}, error) {
	me := authn.User(ctx)
	own, try, err := s.provePassword(ctx, me, "body.password", in.Body.Password)
	if err != nil {
		return nil, err
	}
	tokens := slices.Concat(own.OtherTokens, [][]byte{me.TokenHash})
	s.Cache.Revoke(ctx, tokens...)
	d := &deletion{person: me.ID, grounds: proved(own.PasswordHash), today: authn.Today(ctx, s.Now()), try: try, tokens: tokens}
	if err := s.delete(ctx, d); err != nil {
		return nil, errors.Join(fmt.Errorf("delete account: %w", signedOut(err)), limit.GiveBack(ctx, s.DB, try))
	}
	return &struct{}{}, nil
}

// A deletion is that of one account. All of it commits at once.
type deletion struct {
	person  int64
	grounds grounds
	today   date.Date // the person's
	try     limit.Try // given back with the commit
	tokens  [][]byte  // hashes of all that are known of the person's
}

// errMoved means that between the look and the locks someone joined a home, whose board is not marked, the person came to
// another home, or something else was about to refer to the person.
var errMoved = errors.New("what the account touches changed meanwhile")

// delete looks around, marks the boards of everyone who sees a home that will change, and deletes; again when what it
// saw has changed meanwhile. pgx.ErrNoRows means that there is no such person.
func (s *service) delete(ctx context.Context, d *deletion) error {
	const tries = 5
	for range tries {
		seen, err := s.lookAround(ctx, d)
		if err != nil {
			return err
		}
		if err = s.deleteOnce(ctx, d, seen); !errors.Is(err, errMoved) {
			return err
		}
	}
	return problem.Unavailable()
}

// lookAround returns what a deletion at this moment would do.
func (s *service) lookAround(ctx context.Context, d *deletion) (departure, error) {
	var allowed bool
	var places []place
	batch := &pgx.Batch{}
	// Here this holds nothing that those who are waited for may want.
	batch.Queue(d.grounds.awaitPerson(), d.person, d.grounds.argument).QueryRow(func(row pgx.Row) error { return row.Scan(&allowed) })
	batch.Queue(selectPlaces, d.person).Query(into(&places, pgx.RowToStructByName[place]))
	if err := s.DB.SendBatch(ctx, batch); err != nil {
		return departure{}, fmt.Errorf("look around: %w", err)
	}
	if !allowed {
		return departure{}, d.grounds.lapsed
	}
	return departureOf(d.person, places), nil
}

// The order in which a deletion locks, by which nobody can wait in a circle: the turns of whoever makes a home their
// primary, which then holds several homes; the homes, as whoever writes in one does first; the codes, which are used up before
// the account changes; the account. For that one it does not wait, since who holds it may wait for a home.
var lockPrimaries = `SELECT ` + home.PrimaryTurn("person") + ` FROM unnest($1::bigint[]) person`

const (
	lockHomes = `SELECT id FROM residence_residence WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE`

	lockCodes = `SELECT id FROM auth_code WHERE user_id = $1 ORDER BY id FOR UPDATE`
)

// lock holds everything that the deletion touches, and returns what it will do now and the hashes of the person's tokens.
// Behind the account's lock nothing can refer to it any more.
func (d *deletion) lock(ctx context.Context, tx *pg.Tx, seen departure) (now departure, tokens [][]byte, err error) {
	var held []int64
	var places []place
	batch := &pgx.Batch{}
	batch.Queue(lockPrimaries, seen.people)
	batch.Queue(lockHomes, seen.homes)
	batch.Queue(lockCodes, d.person)
	batch.Queue(d.grounds.lockPerson(), d.person, d.grounds.argument).Query(into(&held, pgx.RowTo[int64]))
	batch.Queue(selectPlaces, d.person).Query(into(&places, pgx.RowToStructByName[place]))
	batch.Queue(selectTokens, d.person).Query(into(&tokens, pgx.RowTo[[]byte]))
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return departure{}, nil, fmt.Errorf("lock what the account touches: %w", err)
	}
	now = departureOf(d.person, places)
	if len(held) == 0 || !seen.covers(now) {
		return departure{}, nil, errMoved
	}
	return now, tokens, nil
}

const (
	endHomes = `DELETE FROM residence_residence WHERE id = ANY($1::bigint[])`

	// Neither who was taken off nor who did it can be named: both are the person who goes.
	unassignTasks = `
WITH freed AS (
    UPDATE task_task SET assigned_to_id = NULL, updated_at = now() WHERE assigned_to_id = $1
    RETURNING id, next_due_on, in_progress
)
INSERT INTO task_taskcompletion (task_id, kind, completed_on, occurrence_on, before_in_progress)
SELECT id, 'unassigned', $2::date, next_due_on, in_progress FROM freed ORDER BY id`

	leaveHomes = `DELETE FROM residence_member WHERE user_id = $1`

	promoteHeirs = `
UPDATE residence_member m SET role = 'owner' FROM unnest($1::bigint[], $2::bigint[]) AS next (residence_id, user_id)
WHERE m.residence_id = next.residence_id AND m.user_id = next.user_id`

	// What the former owner alone had decided goes, as in any handover: this, and their share codes, which go with the account.
	clearPrimaries = `UPDATE residence_residence SET is_primary = false, updated_at = now() WHERE id = ANY($1::bigint[]) AND is_primary`

	// Foreign keys do the rest.
	deletePerson = `DELETE FROM auth_user WHERE id = $1`
)

func (s *service) deleteOnce(ctx context.Context, d *deletion, seen departure) error {
	settle := s.Cache.Mark(ctx, seen.people)
	var done departure
	err := pg.InTx(ctx, s.DB, func(tx *pg.Tx) error {
		now, tokens, err := d.lock(ctx, tx, seen)
		if err != nil {
			return err
		}
		tx.AfterCommit(func() { s.Cache.Revoke(ctx, append(slices.Clone(d.tokens), tokens...)...) })
		tx.Queue(endHomes, now.ended)
		tx.Queue(unassignTasks, d.person, d.today)
		tx.Queue(leaveHomes, d.person)
		tx.Queue(promoteHeirs, now.handed, now.heirs)
		tx.Queue(clearPrimaries, now.handed)
		tx.Queue(deletePerson, d.person)
		d.try.GiveBackWith(tx)
		done = now
		return nil
	})
	// A commit in doubt may still happen: the marker stays, and outlives the transaction.
	if !pg.InDoubt(err) {
		settle(ctx)
	}
	if err == nil {
		api.Log(ctx, slog.Int("homes_ended", len(done.ended)), slog.Int("homes_handed_over", len(done.handed)))
	}
	return err
}

// into returns a reader of one result of a batch.
func into[T any](target *[]T, row pgx.RowToFunc[T]) func(pgx.Rows) error {
	return func(rows pgx.Rows) (err error) {
		*target, err = pgx.CollectRows(rows, row)
		return err
	}
}
