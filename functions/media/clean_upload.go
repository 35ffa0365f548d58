package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/jackc/pgx/v5"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/photo"
)

const (
	// maxBytes is what the bucket takes of somebody who said 10 MiB.
	maxBytes = 10<<20 + 256

	// maxTries is how often a photo may take its process along, or have no original, before nobody tries again. It is more than
	// there are processes, so that deliveries of one event at once are not mistaken for it.
	maxTries = 5
)

// cleanUpload is the work of upload.attached: it stores what may be seen of the photo, and its effect says so. A photo that
// cannot be cleaned is failed by the effect; an error is of the database or the bucket alone. An attempt that the bucket ended
// does not count, whatever its reason, so that no outage ever costs a photo. One that finds no original does, since it may be
// lost, or the bucket another one. The original of a failed photo stays for a week: whoever set right what was wrong can set its
// row back to cleaning, and its delivery to pending with no attempts, and have the event come again.
func (s *service) cleanUpload(ctx context.Context, e events.Event, attempt int) (events.Effect, error) {
	data, err := events.Decode[events.UploadAttached](e)
	if err != nil {
		return nil, err
	}
	m, err := s.unclean(ctx, data.UploadID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nothing, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read photo: %w", err)
	}
	if attempt > maxTries {
		return s.failed(m, errUnprocessable), nil
	}
	thumbnail, err := s.publish(ctx, m)
	// It had most of the memory that the process may have, and the next may be a long time coming.
	debug.FreeOSMemory()
	var found flawError
	switch {
	case errors.Is(err, errMissing) && attempt < maxTries:
		return nil, fmt.Errorf("%w: see that S3_BUCKET is the bucket of the functions that attach", err)
	case errors.As(err, &found):
		return s.failed(m, found), nil
	case err != nil:
		return nil, err
	}
	return s.ready(m, thumbnail), nil
}

// publish stores what members may see of m, under keys that it has each time, and returns whether a thumbnail is part of it. A photo
// that cannot be cleaned is a [flawError], and nothing of it is stored.
func (s *service) publish(ctx context.Context, m media) (thumbnail bool, err error) {
	original, err := s.fetch(ctx, m.ObjectKey+partOriginal)
	if err != nil {
		return false, err
	}
	p, err := clean(original, m.ContentType)
	if err != nil {
		return false, err
	}
	if err := s.store(ctx, m.ObjectKey+partClean, p.kind, p.clean); err != nil {
		return false, err
	}
	if p.thumbnail == nil {
		return false, nil
	}
	return true, s.store(ctx, m.ObjectKey+partThumb, photo.JPEG, p.thumbnail)
}

// fetch reads an object into memory.
func (s *service) fetch(ctx context.Context, key string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.transfer)
	defer cancel()
	content, object, err := s.bucket.Get(ctx, key)
	if errors.Is(err, bucket.ErrNotFound) {
		return nil, errMissing
	}
	if err != nil {
		return nil, events.Later(err)
	}
	defer func() { _ = content.Close() }()
	switch {
	case object.Size > maxBytes:
		return nil, errTooLarge
	case object.Size < 0:
		return nil, events.Later(errors.New("the bucket tells no length"))
	}
	read := make([]byte, object.Size)
	if _, err := io.ReadFull(content, read); err != nil {
		return nil, events.Later(fmt.Errorf("read photo: %w", err))
	}
	return read, nil
}

func (s *service) store(ctx context.Context, key string, kind photo.Type, content []byte) error {
	ctx, cancel := context.WithTimeout(ctx, s.transfer)
	defer cancel()
	if err := s.bucket.Put(ctx, key, string(kind), bytes.NewReader(content), int64(len(content))); err != nil {
		return events.Later(err)
	}
	return nil
}

// remove takes back what publish has stored.
func (s *service) remove(ctx context.Context, m media) {
	if err := s.bucket.Delete(ctx, m.ObjectKey+partClean, m.ObjectKey+partThumb); err != nil {
		s.log.WarnContext(ctx, "photo of a home that is gone stays until it is swept", "upload", m.ID, "error", err)
	}
}
