package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// signedOut is what it means that the caller's own row is gone: the account went after the token was looked up, or while
// something was about to refer to it.
func signedOut(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return problem.Unauthenticated()
	}
	return err
}

const selectTokens = `SELECT token_hash FROM auth_session WHERE user_id = $1`

// tokensOf returns the hashes of a person's tokens.
func (s *service) tokensOf(ctx context.Context, person int64) ([][]byte, error) {
	rows, err := s.DB.Query(ctx, selectTokens, person)
	if err != nil {
		return nil, fmt.Errorf("look up sessions: %w", err)
	}
	hashes, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	return hashes, nil
}

const deleteSession = `DELETE FROM auth_session WHERE id = $1 AND user_id = $2`

// endSession ends one session of person, whose token has that hash, everywhere.
func (s *service) endSession(ctx context.Context, person, session int64, hash []byte) error {
	s.Cache.Revoke(ctx, hash)
	defer s.Cache.Revoke(ctx, hash)
	if _, err := s.DB.Exec(ctx, deleteSession, session, person); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// A statement is SQL with its arguments.
type statement struct {
	sql  string
	args []any
}

const deleteOtherSessions = `DELETE FROM auth_session WHERE user_id = $1 AND id <> $2 RETURNING token_hash`

// setPassword runs change, which sets a password and locks the account's row, then ends the person's sessions but
// kept, 0 for none. In this order: a session that a login opened meanwhile is seen. It returns the hashes of the ended tokens,
// to be revoked after the commit, or pgx.ErrNoRows when change touched no row.
func setPassword(ctx context.Context, tx *pg.Tx, change statement, person, kept int64) (ended [][]byte, err error) {
	batch := &pgx.Batch{}
	batch.Queue(change.sql, change.args...)
	batch.Queue(deleteOtherSessions, person, kept)
	results := tx.SendBatch(ctx, batch)
	defer func() { err = errors.Join(err, results.Close()) }()
	tag, err := results.Exec()
	if err != nil {
		return nil, fmt.Errorf("set password: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return nil, pgx.ErrNoRows
	}
	rows, err := results.Query()
	if err != nil {
		return nil, fmt.Errorf("end sessions: %w", err)
	}
	if ended, err = pgx.CollectRows(rows, pgx.RowTo[[]byte]); err != nil {
		return nil, fmt.Errorf("end sessions: %w", err)
	}
	return ended, nil
}
