// Package idempotency lets a client send a creating request again without creating twice. The key's row commits
// in the transaction that it guards, so no crash lies between the two.
package idempotency

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// Header is what a creating operation's input embeds.
type Header struct {
	Key string `header:"Idempotency-Key" minLength:"1" maxLength:"255" pattern:"^[!-~]+$" patternDescription:"visible ASCII" required:"false" doc:"Any unguessable text of the client's. The same key and body within 24 h give the same answer again, but 404 where what they were about is gone or out of sight" example:"8e03978e-40d5-43dd-bc93-6894a57f9324"`
}

// Answer is the output of a creating operation.
type Answer[T any] struct {
	Status int
	Replay string `header:"Idempotent-Replay" doc:"true when the answer is that of an earlier request with the same key"`
	Body   T
}

// A Guard holds the key of one request: its scope is the person and the path. Without a key it guards nothing.
type Guard struct {
	person    int64
	residence *int64 // that the answer is about
	key       []byte
	body      []byte
	stored    *stored
}

type stored struct {
	BodyHash []byte
	Status   int
	Answer   string
}

// New returns the guard of a request by person to path. body is what makes two requests the same.
func New(person int64, path string, header Header, body any) (*Guard, error) {
	if header.Key == "" {
		return &Guard{}, nil
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode guarded body: %w", err)
	}
	key := sha256.Sum256(fmt.Appendf(nil, "%d\x00%s\x00%s", person, path, header.Key))
	sum := sha256.Sum256(encoded)
	return &Guard{person: person, key: key[:], body: sum[:]}, nil
}

const (
	tryLock = `SELECT pg_try_advisory_xact_lock($1::bigint)`

	selectStored = `
SELECT body_hash, status, answer FROM shared_idempotency
WHERE key_hash = $1::bytea AND created_at > now() - interval '24 hours'`

	insertStored = `
INSERT INTO shared_idempotency (key_hash, body_hash, status, answer, user_id, residence_id)
VALUES ($1::bytea, $2::bytea, $3::int, $4, $5::bigint, $6::bigint)
ON CONFLICT (key_hash) DO UPDATE
SET body_hash = excluded.body_hash, status = excluded.status, answer = excluded.answer, user_id = excluded.user_id,
    residence_id = excluded.residence_id, created_at = now()`
)

// Queue adds the guard's questions to the first batch of the transaction.
func (g *Guard) Queue(batch *pgx.Batch) {
	if g.key == nil {
		return
	}
	batch.Queue(tryLock, int64(binary.BigEndian.Uint64(g.key))) //nolint:gosec // any 64 bits are a lock's number
	batch.Queue(selectStored, g.key)
}

// Read reads the answers to what Queue asked. It refuses with 409 while the first request still runs, and with 422 when
// the key came with another body.
func (g *Guard) Read(results pgx.BatchResults) error {
	if g.key == nil {
		return nil
	}
	var locked bool
	if err := results.QueryRow().Scan(&locked); err != nil {
		return fmt.Errorf("lock idempotency key: %w", err)
	}
	rows, err := results.Query()
	if err != nil {
		return fmt.Errorf("look up idempotency key: %w", err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[stored])
	switch {
	case errors.Is(err, pgx.ErrNoRows):
	case err != nil:
		return fmt.Errorf("read idempotency key: %w", err)
	case !bytes.Equal(found.BodyHash, g.body):
		return problem.Invalid("header.Idempotency-Key", "this key came before with another body")
	default:
		g.stored = &found
		return nil
	}
	if !locked {
		return problem.Conflict("A request with this key is still running.", nil)
	}
	return nil
}

// Begin asks and reads in a batch of its own, for transactions that have no other first question.
func (g *Guard) Begin(ctx context.Context, tx *pg.Tx) error {
	if g.key == nil {
		return nil
	}
	batch := &pgx.Batch{}
	g.Queue(batch)
	results := tx.SendBatch(ctx, batch)
	return errors.Join(g.Read(results), results.Close())
}

// About says which home the answer will be about, whose address it may hold: it is kept no longer than the home is there.
func (g *Guard) About(residence int64) { g.residence = &residence }

// Replayed returns whether the answer is already there and nothing is left to do.
func (g *Guard) Replayed() bool { return g.stored != nil }

// Keep stores the answer with the commit, as the person's: it goes with their account.
func (g *Guard) Keep(tx *pg.Tx, status int, body any) error {
	if g.key == nil {
		return nil
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode guarded answer: %w", err)
	}
	tx.Queue(insertStored, g.key, g.body, status, string(encoded), g.person, g.residence)
	return nil
}

// Reply returns the answer to give: body, or the stored one.
func Reply[T any](g *Guard, body T) (*Answer[T], error) {
	if g.stored == nil {
		return &Answer[T]{Status: http.StatusCreated, Body: body}, nil
	}
	answer := &Answer[T]{Status: g.stored.Status, Replay: "true"}
	if err := json.Unmarshal([]byte(g.stored.Answer), &answer.Body); err != nil {
		return nil, fmt.Errorf("decode stored answer: %w", err)
	}
	return answer, nil
}
