package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/pg"
)

const (
	// pageLooked is how many objects are looked at before the position is saved.
	pageLooked = 1000

	// orphanAge is how old an object without a row must be: whoever copies one claims it within a minute, or never.
	orphanAge = 24 * time.Hour

	// suspicious is from how many orphans of one page on nothing is deleted where they are most of it: then it is the rows that
	// are missing, as before a database that was restored or is another one.
	suspicious = 100
)

const (
	selectPosition = `SELECT after_key FROM upload_sweep WHERE prefix = $1`

	savePosition = `UPDATE upload_sweep SET after_key = $2 WHERE prefix = $1`

	selectPending = `SELECT object_key FROM pending_uploads WHERE object_key = ANY($1::text[]) AND state = 'pending'`

	// The original of a clean photo tells where it was taken, and is nobody's. That of a failed one is kept until its tombstone is due.
	selectMedia = `
SELECT m.object_key || part FROM upload_media m, unnest(CASE
    WHEN m.state = 'cleaning' THEN '{/original,/clean,/thumb}'::text[]
    WHEN m.state = 'failed' OR m.content_type = 'application/pdf' THEN '{/original}'
    ELSE '{/clean,/thumb}' END) AS part
WHERE m.object_key = ANY($1::text[])
  AND (m.state <> 'failed' OR EXISTS (SELECT FROM upload_tombstone t WHERE t.object_key = m.object_key || part))`
)

// A shelf is a part of the bucket, and how its objects belong to rows.
type shelf struct {
	prefix string
	row    func(key string) string // what the row that may own an object has as its key
	owned  string                  // the SQL that gives the keys of all objects that such rows own
	dear   bool                    // whether people would miss what is on it
}

// shelves are the parts that are looked through, the smaller one first: what is sent is there for a day at most.
func shelves() []shelf {
	return []shelf{
		{prefix: "uploads/", row: func(key string) string { return key }, owned: selectPending},
		{prefix: "media/", row: path.Dir, owned: selectMedia, dear: true},
	}
}

// removeOrphans deletes objects that no row owns, such as a copy that no transaction claimed, page after page until the end of
// the bucket or of ctx, and returns how many. It never begins anew in the same tick.
func (s *service) removeOrphans(ctx context.Context) (int, error) {
	total := 0
	for _, shelf := range shelves() {
		for more := true; more && ctx.Err() == nil; {
			var n int
			var err error
			n, more, err = s.lookThrough(ctx, shelf)
			total += n
			if err != nil {
				return total, fmt.Errorf("remove orphans: %w", err)
			}
		}
	}
	return total, nil
}

// lookThrough looks at one page from the saved position on. It returns how many orphans it deleted, and whether more follows. What
// the bucket refuses to delete is passed by all the same.
func (s *service) lookThrough(ctx context.Context, shelf shelf) (removed int, more bool, err error) {
	after, err := pg.Value[string](ctx, s.db, selectPosition, shelf.prefix)
	if err != nil {
		return 0, false, fmt.Errorf("read position: %w", err)
	}
	page, err := s.store.List(ctx, shelf.prefix, after, pageLooked)
	if err != nil {
		return 0, false, err
	}
	// The bucket is asked before the rows are, so that no row can be missing that was there for one of these objects.
	orphans, err := s.orphans(ctx, shelf, page)
	if err != nil {
		return 0, false, err
	}
	if shelf.dear && len(orphans) >= suspicious && len(orphans) > len(page)/2 {
		s.log.ErrorContext(ctx, "most objects have no row, so none is deleted: see that this is the database that belongs to the bucket",
			"objects", len(page), "without_row", len(orphans))
		orphans = nil
	}
	gone, discardErr := s.discard(ctx, orphans)
	if discardErr != nil && !errors.Is(discardErr, errRefused) {
		return len(gone), false, discardErr
	}
	next := ""
	if more = len(page) == pageLooked; more {
		next = page[len(page)-1].Key
	}
	if _, err := s.db.Exec(ctx, savePosition, shelf.prefix, next); err != nil {
		return len(gone), false, fmt.Errorf("save position: %w", err)
	}
	return len(gone), more, discardErr
}

// orphans returns the keys of the old ones among objects that belong to no row.
func (s *service) orphans(ctx context.Context, shelf shelf, objects []bucket.Object) ([]string, error) {
	var old, keys []string
	born := s.now().Add(-orphanAge)
	for _, o := range objects {
		if o.ModifiedAt.Before(born) {
			old, keys = append(old, o.Key), append(keys, shelf.row(o.Key))
		}
	}
	if len(old) == 0 {
		return nil, nil
	}
	rows, err := s.db.Query(ctx, shelf.owned, keys)
	if err != nil {
		return nil, fmt.Errorf("find owners: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("find owners: %w", err)
	}
	owned := make(map[string]bool, len(found))
	for _, key := range found {
		owned[key] = true
	}
	return slices.DeleteFunc(old, func(key string) bool { return owned[key] }), nil
}
