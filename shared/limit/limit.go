// Package limit counts in PostgreSQL how often something was tried, so that the count holds whichever process
// answers and whether or not the cache is there.
package limit

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/honeydue/backend/shared/pg"
)

// A Rule allows Max tries in any window of that length.
type Rule struct {
	Name   string
	Max    int
	Window time.Duration
}

func (r Rule) hash(subject string) []byte {
	sum := sha256.Sum256([]byte(r.Name + "\x00" + subject))
	return sum[:]
}

// The row's lock makes counting atomic: of any number of tries at the same moment, exactly those within the rule
// are granted.
const take = `
INSERT INTO shared_limit AS l (key_hash, hits, granted, expires_at)
VALUES ($1::bytea, ARRAY[clock_timestamp()], true, now() + make_interval(secs => $3::float8))
ON CONFLICT (key_hash) DO UPDATE SET
    granted = $2 > (SELECT count(*) FROM unnest(l.hits) h WHERE h > now() - make_interval(secs => $3::float8)),
    hits = CASE WHEN $2 > (SELECT count(*) FROM unnest(l.hits) h WHERE h > now() - make_interval(secs => $3::float8))
           THEN ARRAY(SELECT h FROM unnest(l.hits) h WHERE h > now() - make_interval(secs => $3::float8) ORDER BY h) || clock_timestamp()
           ELSE l.hits END,
    expires_at = now() + make_interval(secs => $3::float8)
RETURNING granted, hits[cardinality(hits)] AS last,
    coalesce((SELECT min(h) FROM unnest(hits) h WHERE h > now() - make_interval(secs => $3::float8)), now())
        + make_interval(secs => $3::float8) AS free_at, now() AS read_at`

const giveBack = `UPDATE shared_limit SET hits = array_remove(hits, $2::timestamptz) WHERE key_hash = $1::bytea`

// A Try is one that was counted.
type Try struct {
	Granted bool
	After   time.Duration // until the next one can be granted, when this one was not
	hash    []byte
	at      time.Time
}

type taken struct {
	Granted bool
	Last    time.Time
	FreeAt  time.Time
	ReadAt  time.Time
}

// Take counts a try by subject and says whether rule grants it. A refused try is not counted.
func Take(ctx context.Context, db *pg.DB, rule Rule, subject string) (Try, error) {
	hash := rule.hash(subject)
	row, err := pg.One[taken](ctx, db, take, hash, rule.Max, rule.Window.Seconds())
	if err != nil {
		return Try{}, fmt.Errorf("count %s: %w", rule.Name, err)
	}
	return Try{Granted: row.Granted, After: row.FreeAt.Sub(row.ReadAt), hash: hash, at: row.Last}, nil
}

// GiveBack takes a granted try off the count, for rules that count only failures.
func GiveBack(ctx context.Context, db *pg.DB, try Try) error {
	if _, err := db.Exec(ctx, giveBack, try.hash, try.at); err != nil {
		return fmt.Errorf("give a try back: %w", err)
	}
	return nil
}
