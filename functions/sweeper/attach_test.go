package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"github.com/honeydue/backend/shared/attach"
	"github.com/honeydue/backend/shared/bucket"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// A member sends photos and attaches them to the house, as the functions uploads, tasks and media have it.
type member struct {
	*house
	files   *attach.Files
	bucket  *bucket.Bucket
	picture []byte
}

// member returns one who reaches the bucket at once.
func (h *house) member(t *testing.T, at *devtest.Bucket) *member {
	t.Helper()
	store := functiontest.OpenBucket(t, at, bucket.Post)
	return &member{h, attach.NewFiles(h.Base.DB, store, h.Base.Outbox), store, functiontest.JPEG(t)}
}

var errChanged = errors.New("somebody changed their mind")

// send sends a photo, which may be attached for so long, and attaches it; then it may be cleaned or deleted. It returns how that
// ended, and an error for what must not be.
func (m *member) send(ctx context.Context, life time.Duration) (string, error) {
	var id int64
	key := "uploads/" + rand.Text()
	err := m.Owner.QueryRow(ctx, `
		INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, expires_at)
		VALUES ($1, 'residence_image', 'image/jpeg', $2, 0, $3, now() + make_interval(secs => $4)) RETURNING id`,
		m.owner.ID, len(m.picture), key, life.Seconds()).Scan(&id)
	if err != nil {
		return "", fmt.Errorf("write upload: %w", err)
	}
	if err := m.store(ctx, key); err != nil {
		return "", err
	}
	set := m.files.New(m.owner.ID, []int64{id}, attach.ResidenceImage)
	chance := mathrand.IntN(8)
	err = set.Prepare(ctx)
	if err == nil {
		err = pg.InTx(ctx, m.Base.DB, func(tx *pg.Tx) error {
			if err := set.Claim(ctx, tx); err != nil {
				return err
			}
			if _, err := set.Attach(ctx, tx, attach.Owner{ResidenceID: m.home}); err != nil {
				return err
			}
			if chance < 2 {
				return errChanged
			}
			return nil
		})
	}
	if chance != 0 || err == nil { // else it is killed before
		err = set.Settle(ctx, err)
	}
	var refused *problem.Problem
	switch {
	case errors.Is(err, errChanged):
		return "rolled back", nil
	case errors.As(err, &refused):
		return "refused", nil
	case err != nil:
		return "", fmt.Errorf("attach: %w", err)
	}
	return m.follow(ctx, id, chance)
}

// follow does what may happen to a photo that is attached.
func (m *member) follow(ctx context.Context, id int64, chance int) (string, error) {
	switch chance {
	case 2, 3:
		var key string
		if err := m.Owner.QueryRow(ctx, `SELECT object_key FROM upload_media WHERE id = $1`, id).Scan(&key); err != nil {
			return "", fmt.Errorf("look for photo: %w", err)
		}
		if err := errors.Join(m.store(ctx, key+"/clean"), m.store(ctx, key+"/thumb")); err != nil {
			return "", err
		}
		_, err := m.Owner.Exec(ctx, `UPDATE upload_media SET state = 'ready' WHERE id = $1`, id)
		return "cleaned", err
	case 4:
		_, err := m.Owner.Exec(ctx, `DELETE FROM upload_media WHERE id = $1`, id)
		return "deleted", err
	}
	return "attached", nil
}

func (m *member) store(ctx context.Context, key string) error {
	return m.bucket.Put(ctx, key, "image/jpeg", bytes.NewReader(m.picture), int64(len(m.picture)))
}

// owned returns the keys of the objects that the photos of the house need.
func (h *house) owned(t *testing.T) []string {
	t.Helper()
	return functiontest.Value[[]string](t, h.Server, `
		SELECT coalesce(array_agg(object_key || part), '{}')
		FROM upload_media, unnest(CASE state WHEN 'cleaning' THEN '{/original}'::text[] ELSE '{/clean,/thumb}' END) part`)
}

// sendUntil has members send until stop is closed, and returns how often that ended in which way.
func (m *member) sendUntil(ctx context.Context, stop <-chan struct{}) (map[string]int, error) {
	ended := map[string]int{}
	for {
		select {
		case <-stop:
			return ended, nil
		default:
		}
		life := 10 * time.Minute
		if mathrand.IntN(2) == 0 {
			life = mathrand.N(500 * time.Millisecond)
		}
		how, err := m.send(ctx, life)
		if err != nil {
			return ended, err
		}
		ended[how]++
	}
}
