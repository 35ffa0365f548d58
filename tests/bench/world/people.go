package world

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Token is what the person with that id signs in with.
func Token(person int64) string { return fmt.Sprintf("hd_%d", person) }

const insertPeople = `
WITH made AS (
    INSERT INTO auth_user (email, first_name) SELECT gen_random_uuid() || '@example.com', 'Pat' FROM generate_series(1, $1::int) RETURNING id
), signed_in AS (
    INSERT INTO auth_session (user_id, token_hash, expires_at) SELECT id, sha256(('hd_' || id)::bytea), now() + interval '90 days' FROM made
)
SELECT id FROM made ORDER BY id`

// People makes so many people, signed in, and returns their ids, which follow one another.
func (w *World) People(ctx context.Context, n int) ([]int64, error) {
	rows, err := w.DB.Query(ctx, insertPeople, n)
	if err != nil {
		return nil, fmt.Errorf("insert people: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("insert people: %w", err)
	}
	return ids, nil
}
