// Package limit counts in PostgreSQL how often something was tried, so that the count holds whichever process
// answers and whether or not the cache is there.
package limit

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/timing"
)

// A Rule allows Max tries in any window of that length.
type Rule struct {
	Name   string
	Max    int
	Window time.Duration
}

// A Count is a rule and whom it is counted for.
type Count struct {
	Rule
	Subject string
}

// By returns the count of the rule for subject.
func (r Rule) By(subject string) Count { return Count{r, subject} }

func (c Count) hash() []byte {
	sum := sha256.Sum256([]byte(c.Name + "\x00" + c.Subject))
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

// A Try is what was counted.
type Try struct {
	Granted bool
	After   time.Duration // until the next one can be granted, when this one was not
	hits    []hit
}

type hit struct {
	hash []byte
	at   time.Time
}

// Take counts a try under every one of counts, in one round trip, and grants it when all of them do. A refused try is counted
// under none. Callers name counts in one order everywhere, since their rows are locked in that order.
func Take(ctx context.Context, db *pg.DB, counts ...Count) (Try, error) {
	return TakeWith(ctx, db, &pgx.Batch{}, counts...)
}

// TakeWith is Take in the round trip of what batch asks already. Its questions are asked even when the try is refused.
func TakeWith(ctx context.Context, db *pg.DB, batch *pgx.Batch, counts ...Count) (Try, error) {
	tries, err := each(ctx, db, batch, counts)
	if err != nil {
		return Try{}, err
	}
	all := Try{Granted: true}
	for _, try := range tries {
		all.Granted = all.Granted && try.Granted
		all.After = max(all.After, try.After)
		all.hits = append(all.hits, try.hits...)
	}
	if !all.Granted {
		return all, GiveBack(ctx, db, all)
	}
	return all, nil
}

// Each counts a try under each of counts by itself, in one round trip.
func Each(ctx context.Context, db *pg.DB, counts ...Count) ([]Try, error) {
	return each(ctx, db, &pgx.Batch{}, counts)
}

func each(ctx context.Context, db *pg.DB, batch *pgx.Batch, counts []Count) ([]Try, error) {
	timing.Withhold(ctx) // tries are counted where somebody could probe
	tries := make([]Try, len(counts))
	for i, c := range counts {
		batch.Queue(take, c.hash(), c.Max, c.Window.Seconds()).QueryRow(func(row pgx.Row) error {
			var last, freeAt, readAt time.Time
			if err := row.Scan(&tries[i].Granted, &last, &freeAt, &readAt); err != nil {
				return fmt.Errorf("count %s: %w", c.Name, err)
			}
			if tries[i].Granted {
				tries[i].hits = []hit{{c.hash(), last}}
			} else {
				tries[i].After = freeAt.Sub(readAt)
			}
			return nil
		})
	}
	if err := db.SendBatch(ctx, batch); err != nil {
		return nil, err
	}
	return tries, nil
}

// Under returns what of a try was counted under the first n counts, to be given back without the rest.
func (t Try) Under(n int) Try {
	t.hits = t.hits[:min(n, len(t.hits))]
	return t
}

// GiveBackWith takes a try off all counts with the commit of tx.
func (t Try) GiveBackWith(tx *pg.Tx) {
	for _, h := range t.hits {
		tx.Queue(giveBack, h.hash, h.at)
	}
}

// GiveBack takes a try off all counts, for rules that count only failures.
func GiveBack(ctx context.Context, db *pg.DB, try Try) error {
	if len(try.hits) == 0 {
		return nil
	}
	batch := &pgx.Batch{}
	for _, h := range try.hits {
		batch.Queue(giveBack, h.hash, h.at)
	}
	if err := db.SendBatch(ctx, batch); err != nil {
		return fmt.Errorf("give a try back: %w", err)
	}
	return nil
}
