package attach

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/photo"
	"github.com/honeydue/backend/shared/problem"
)

// An upload is a row of pending_uploads, and the key of its copy once there is one.
type upload struct {
	ID            int64
	Category      Category
	ContentType   string
	ContentLength int64
	Slack         int64
	Filename      *string
	ObjectKey     string
	State         string
	Expired       bool

	copied string
}

// original is where the copy lies whose object_key that is.
func original(objectKey string) string { return objectKey + "/original" }

const selectUploads = `
SELECT id, category, content_type, content_length, slack, filename, object_key, state, expires_at <= now() AS expired
FROM pending_uploads WHERE id = ANY ($1::bigint[]) AND user_id = $2 AND state <> 'given_up'`

// find reads the uploads, in the order of their ids in the request, and refuses what their rows tell.
func (s *Set) find(ctx context.Context) error {
	found, err := pg.All[upload](ctx, s.files.db, selectUploads, s.ids, s.person)
	if err != nil {
		return fmt.Errorf("look up uploads: %w", err)
	}
	var wrong []problem.Detail
	s.uploads = make([]upload, len(s.ids))
	for i, id := range s.ids {
		at := slices.IndexFunc(found, func(u upload) bool { return u.ID == id })
		if at < 0 {
			s.refused = missing(i)
			return nil
		}
		s.uploads[i] = found[at]
		if message := s.check(i); message != "" {
			wrong = append(wrong, problem.Detail{Location: place(i), Message: message})
		}
	}
	s.refused = refusals(wrong)
	return nil
}

// check returns what is wrong with the row of an upload.
func (s *Set) check(i int) string {
	u := s.uploads[i]
	switch {
	case slices.Contains(s.ids[:i], u.ID):
		return "expected each upload once"
	case u.State == "attached":
		return "expected an upload that is not attached yet"
	case u.State == "expired" || u.Expired:
		return "expected an upload of the last 15 minutes: send it again"
	case !slices.Contains(s.categories, u.Category):
		return "expected an upload of the category that belongs here"
	}
	return ""
}

// leftForTransaction is what copying leaves of the time that a request has, so that no commit is cut off for it.
const leftForTransaction = 1200 * time.Millisecond

// copyAll copies what was sent to keys that no signed address writes, and looks at the copies: what lies under the signed
// address may change at any moment.
func (s *Set) copyAll(ctx context.Context) error {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-leftForTransaction))
		defer cancel()
	}
	messages := make([]string, len(s.uploads))
	group, ctx := errgroup.WithContext(ctx)
	for i := range s.uploads {
		group.Go(func() (err error) {
			messages[i], err = s.files.inTurn(ctx, &s.uploads[i])
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("copy uploads: %w", err)
	}
	var wrong []problem.Detail
	for i, message := range messages {
		if message != "" {
			wrong = append(wrong, problem.Detail{Location: place(i), Message: message})
		}
	}
	return refusals(wrong)
}

// inTurn copies and looks at an upload when it is its turn, and returns what is wrong with it.
func (f *Files) inTurn(ctx context.Context, u *upload) (message string, err error) {
	select {
	case f.slots <- struct{}{}:
		defer func() { <-f.slots }()
	case <-ctx.Done():
		return "", problem.Unavailable()
	}
	// What is in there was anybody's to choose.
	defer func() {
		if recover() != nil {
			message, err = malformed, nil
		}
	}()
	return f.copy(ctx, u)
}

const malformed = "expected a file that readers of its content_type can open"

// headSize is what is read of a file at once: where most pictures say how large they are.
const headSize = 64 << 10

// copy makes the copy of an upload and returns what is wrong with it.
func (f *Files) copy(ctx context.Context, u *upload) (message string, err error) {
	key := "media/" + rand.Text()
	if err := f.bucket.Copy(ctx, u.ObjectKey, original(key)); err != nil {
		if errors.Is(err, bucket.ErrNotFound) {
			return "expected a file that was sent: nothing is there yet", nil
		}
		return "", err
	}
	u.copied = key
	file, err := f.bucket.Read(ctx, original(key), headSize)
	if err != nil {
		return "", err
	}
	switch {
	case file.Size < u.ContentLength-u.Slack || file.Size > u.ContentLength+u.Slack:
		return "expected a file as long as content_length said", nil
	case file.ContentType != u.ContentType:
		return "expected a file sent with the content_type that was said", nil
	case file.Encoding != "":
		return "expected a file sent without a Content-Encoding", nil
	}
	info, err := photo.Inspect(file, file.Size)
	switch {
	case errors.Is(err, photo.ErrType):
		return "expected a file of its content_type", nil
	case errors.Is(err, photo.ErrTruncated):
		return "expected a whole file: its end is missing", nil
	case errors.Is(err, photo.ErrMalformed):
		return malformed, nil
	case errors.Is(err, photo.ErrTooLarge):
		return fmt.Sprintf("expected a picture of at most %d pixels a side and %d megapixels", photo.MaxSide, photo.MaxPixels/1_000_000), nil
	case err != nil:
		return "", fmt.Errorf("inspect file: %w", err)
	case !info.Type.Is(u.ContentType):
		return "expected a file of its content_type", nil
	}
	return "", nil
}

func place(i int) string { return fmt.Sprintf("body.upload_ids[%d]", i) }

func refusal(i int, message string) error { return problem.Invalid(place(i), message) }

// refusals is nil where nothing is wrong.
func refusals(wrong []problem.Detail) error {
	if len(wrong) == 0 {
		return nil
	}
	p := problem.Invalid("", "")
	p.Errors = wrong
	return p
}

// missing is the same for an upload that is gone and for another person's.
func missing(i int) error {
	p := problem.NotFound()
	p.Errors = []problem.Detail{{Location: place(i), Message: "expected an upload of the caller's"}}
	return p
}
