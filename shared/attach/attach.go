// Package attach makes photos and papers of a home out of what its members have sent: checked and copied before the
// transaction of the thing that they belong to, claimed in it.
package attach

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/photo"
	"github.com/honeydue/backend/shared/problem"
)

// A Category is what an upload is sent for.
type Category string

// The categories.
const (
	CompletionImage Category = "completion_image"
	DocumentImage   Category = "document_image"
	DocumentFile    Category = "document_file"
	ResidenceImage  Category = "residence_image"
)

// A File is a photo or paper as the thing shows it that it belongs to.
type File struct {
	ID          int64  `json:"id" doc:"Under /api/media/" example:"88"`
	ContentType string `json:"content_type" example:"image/jpeg"`
	State       string `json:"state" enum:"cleaning,ready,failed" doc:"cleaning until nothing in it tells where it was taken, then ready; failed when that cannot be" example:"ready"`
}

// Of is SQL that gives the files, as a JSON array of [File], whose rows of upload_media under the alias f meet the condition.
func Of(condition string) string {
	return `coalesce((SELECT jsonb_agg(jsonb_build_object('id', f.id, 'content_type', f.content_type, 'state', f.state) ORDER BY f.id)
    FROM upload_media f WHERE ` + condition + `), '[]')`
}

// With returns the files with those that were added, in the order in which [Of] has them.
func With(files, added []File) []File {
	all := append(append([]File{}, files...), added...) // never nil: a list that is empty is one
	slices.SortFunc(all, func(a, b File) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Files is where uploads are, and who is told of them.
type Files struct {
	db     *pg.DB
	bucket *bucket.Bucket
	outbox *events.Outbox
	slots  chan struct{} // holds an item for each upload that is being looked at
}

// atOnce is how many uploads a process copies and looks at side by side, whoever sent them: looking at one can take megabytes.
const atOnce = 5

// NewFiles returns a process's files.
func NewFiles(db *pg.DB, store *bucket.Bucket, outbox *events.Outbox) *Files {
	return &Files{db: db, bucket: store, outbox: outbox, slots: make(chan struct{}, atOnce)}
}

// A Set is what one request attaches to one thing: all of its uploads or none. It is a [home.Ask], which claims them.
type Set struct {
	files      *Files
	person     int64
	ids        []int64
	categories []Category

	prepared bool
	refused  error // told only where the request is not one that was answered before
	uploads  []upload
	attached bool
}

// New returns the set of uploads with these ids, in the order of body.upload_ids. It is for one request by person.
func (f *Files) New(person int64, ids []int64, categories ...Category) *Set {
	return &Set{files: f, person: person, ids: ids, categories: categories}
}

// Behind returns a look at a home which is followed, once, by checking and copying the uploads. What is wrong with them
// is kept until they are claimed: the same request sent twice finds its uploads claimed, and gets its answer all the same.
func (s *Set) Behind(look func(ctx context.Context) (home.Access, error)) func(ctx context.Context) (home.Access, error) {
	return func(ctx context.Context) (home.Access, error) {
		access, err := look(ctx)
		if err != nil {
			return access, err
		}
		return access, s.Prepare(ctx)
	}
}

// Prepare is what happens behind a look, for a thing of which there is nothing to look at.
func (s *Set) Prepare(ctx context.Context) error {
	if len(s.ids) == 0 || s.prepared {
		return nil
	}
	s.prepared = true
	if err := s.find(ctx); err != nil {
		return err
	}
	if s.refused == nil {
		s.refused = s.copyAll(ctx)
	}
	return nil
}

// Who waited for a row sees it as it has become. The order keeps two requests from waiting for each other.
const claimUploads = `
WITH held AS (
    SELECT id FROM pending_uploads
    WHERE id = ANY ($1::bigint[]) AND user_id = $2 AND state = 'pending' AND expires_at > now()
    ORDER BY id FOR UPDATE
)
UPDATE pending_uploads p SET state = 'attached' FROM held WHERE p.id = held.id
RETURNING p.id`

// most is how many files one thing has, as the schemas of what has files say.
const most = 50

// Fit refuses more files than a thing can have on top of those that it has.
func (s *Set) Fit(has int) error {
	if len(s.ids) > 0 && has+len(s.ids) > most {
		return problem.Invalid("body.upload_ids", fmt.Sprintf("expected at most %d files with those that are there", most))
	}
	return nil
}

// Queue asks for the uploads.
func (s *Set) Queue(batch *pgx.Batch) {
	if len(s.ids) > 0 && s.refused == nil {
		batch.Queue(claimUploads, s.ids, s.person)
	}
}

// Read refuses what cannot be attached: with 404 what is gone or another's, with 422 and its place in the request what
// is not as it was claimed to be, with 503 all of it while the bucket is away.
func (s *Set) Read(results pgx.BatchResults) error {
	if len(s.ids) == 0 || s.refused != nil {
		return s.refused
	}
	rows, err := results.Query()
	if err != nil {
		return fmt.Errorf("claim uploads: %w", err)
	}
	claimed, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("claim uploads: %w", err)
	}
	for i, id := range s.ids {
		if !slices.Contains(claimed, id) {
			return refusal(i, "it was attached, given up or too old a moment ago")
		}
	}
	return nil
}

// Claim asks and reads in a batch of its own.
func (s *Set) Claim(ctx context.Context, tx *pg.Tx) error {
	batch := &pgx.Batch{}
	s.Queue(batch)
	if batch.Len() == 0 {
		return s.refused
	}
	results := tx.SendBatch(ctx, batch)
	return errors.Join(s.Read(results), results.Close())
}

// An Owner is what uploads are attached to: a completion, a document, or a home where there is neither.
type Owner struct {
	ResidenceID  int64
	CompletionID *int64
	DocumentID   *int64
}

const (
	cleaning = "cleaning"
	ready    = "ready"
)

const insertMedia = `
INSERT INTO upload_media (id, residence_id, completion_id, document_id, created_by_id, content_type, filename, object_key, state)
SELECT u.id, $1::bigint, $2::bigint, $3::bigint, $4::bigint, u.content_type, u.filename, u.object_key, u.state
FROM unnest($5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[]) AS u (id, content_type, filename, object_key, state)`

// Attach writes, with the commit of tx, that the claimed uploads belong to an owner, and tells of each that is to be cleaned.
func (s *Set) Attach(ctx context.Context, tx *pg.Tx, to Owner) ([]File, error) {
	files := make([]File, len(s.uploads))
	types, names, keys, states := make([]string, len(files)), make([]*string, len(files)), make([]string, len(files)), make([]string, len(files))
	for i, u := range s.uploads {
		files[i] = File{ID: u.ID, ContentType: u.ContentType, State: cleaning}
		if u.ContentType == string(photo.PDF) {
			files[i].State = ready
		}
		types[i], names[i], keys[i], states[i] = u.ContentType, u.Filename, u.copied, files[i].State
	}
	if len(files) == 0 {
		return files, nil
	}
	tx.Queue(insertMedia, to.ResidenceID, to.CompletionID, to.DocumentID, s.person, s.ids, types, names, keys, states)
	s.attached = true
	for _, f := range files {
		if f.State == ready {
			continue
		}
		if err := s.files.outbox.Append(ctx, tx, events.UploadAttached{UploadID: f.ID, ResidenceID: to.ResidenceID}); err != nil {
			return nil, fmt.Errorf("tell of upload %d: %w", f.ID, err)
		}
	}
	return With(files, nil), nil
}

// settleTimeout is what a refusal waits for, at most. An answer that is late already does not wait: the sweeper will do.
const settleTimeout = 400 * time.Millisecond

// Settle removes the copies that the transaction, which ended with err, leaves to nobody. What it cannot remove the sweeper
// does. It returns err.
func (s *Set) Settle(ctx context.Context, err error) error {
	if s.attached && (err == nil || pg.InDoubt(err)) {
		return err
	}
	var keys []string
	for _, u := range s.uploads {
		if u.copied != "" {
			keys = append(keys, original(u.copied))
		}
	}
	if len(keys) > 0 && !bucket.Unavailable(err) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
		defer cancel()
		_ = s.files.bucket.Delete(ctx, keys...)
	}
	return err
}
