package tests

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/tests/story"
)

// TestPhotos: a photo that is sent in either form is shown to everybody of the home, without the place where it was taken.
func TestPhotos(t *testing.T) {
	t.Parallel()
	for _, on := range []*sharedSystem{shared, putting} {
		t.Run(on.method, func(t *testing.T) {
			t.Parallel()
			s := on.running(t)
			ctx := within(t, time.Minute)
			done, err := story.MainJob(ctx, story.At(s.URL))
			require.NoError(t, err)
			stranger, err := story.Register(ctx, story.NewPhone(s.URL), "Sam")
			require.NoError(t, err)
			require.NoError(t, done.Photo(ctx))
			require.NoError(t, done.Look(ctx, stranger))
		})
	}
}

// TestSentAgain: what comes to the same address once a photo is attached is seen by nobody, and cannot be attached.
func TestSentAgain(t *testing.T) {
	t.Parallel()
	for _, on := range []*sharedSystem{shared, putting} {
		t.Run(on.method, func(t *testing.T) {
			t.Parallel()
			s := on.running(t)
			ctx := within(t, time.Minute)
			done, err := story.MainJob(ctx, story.At(s.URL))
			require.NoError(t, err)
			stranger, err := story.Register(ctx, story.NewPhone(s.URL), "Sam")
			require.NoError(t, err)
			shot, err := story.Shot(960, 720)
			require.NoError(t, err)
			to, err := done.Member.Presign(ctx, story.Picture("completion_image", shot))
			require.NoError(t, err)
			require.NoError(t, to.Take(ctx, shot))
			completion := map[string]any{"task_id": done.Task, "upload_ids": []any{to.UploadID}}
			require.NoError(t, done.Member.Create(ctx, "/api/task-completions/", http.StatusCreated, completion, nil))
			require.NoError(t, to.Take(ctx, bytes.Repeat([]byte("x"), len(shot))))
			done.Photos = append(done.Photos, story.Photo{ID: to.UploadID, By: done.Member})
			require.NoError(t, done.Look(ctx, stranger))
			answer, err := done.Member.Call(ctx, http.MethodPost, "/api/task-completions/", completion, "")
			require.NoError(t, err)
			refused(t, "attached twice", answer, http.StatusUnprocessableEntity)
		})
	}
}

// TestBucketGoesAndComesBack: without the bucket nothing is attached, and everything else is as ever.
func TestBucketGoesAndComesBack(t *testing.T) {
	t.Parallel()
	s := ownSystem(t)
	db := owner(t, s)
	ctx := within(t, 4*time.Minute)
	done, err := story.MainJob(ctx, story.At(s.URL))
	require.NoError(t, err)
	require.NoError(t, done.Photo(ctx))
	stranger, err := story.Register(ctx, story.NewPhone(s.URL), "Sam")
	require.NoError(t, err)
	require.NoError(t, done.Look(ctx, stranger))
	shot, err := story.Shot(960, 720)
	require.NoError(t, err)

	for name, trouble := range map[string]struct{ begin, end func() error }{
		"stopped": {func() error { return s.S3.Stop(ctx) }, func() error { return s.S3.Start(ctx) }},
		"hanging": {func() error { s.S3.Pause(); return nil }, func() error { s.S3.Resume(); return nil }},
	} {
		calls := attaching(ctx, t, done, shot)
		settle(ctx, t, s, db)
		before := value[string](t, db, fingerprint)
		require.NoError(t, trouble.begin(), name)
		for _, call := range calls {
			began := time.Now()
			answer, err := done.Owner.Call(ctx, call.method, call.path, call.body, rand.Text())
			require.NoError(t, err, "%s: %s", name, call.path)
			refused(t, name+": "+call.path, answer, http.StatusServiceUnavailable)
			require.NotEmpty(t, answer.Header.Get("Retry-After"), call.path)
			require.Less(t, time.Since(began), 5*time.Second, "%s: %s", name, call.path)
		}
		require.Equal(t, before, value[string](t, db, fingerprint), "%s: something was written", name)
		presign := map[string]any{"category": "document_file", "content_type": paperType, "content_length": 999}
		require.NoError(t, done.Owner.Create(ctx, "/api/uploads/presign/", http.StatusCreated, presign, nil), name)
		answer, err := done.Member.Call(ctx, http.MethodGet, fmt.Sprintf("/api/media/%d/", done.Photos[0].ID), nil, "")
		require.NoError(t, err, name)
		require.NoError(t, answer.Decode(http.StatusFound, nil), name)
		_, err = story.MainJob(ctx, story.At(s.URL))
		require.NoError(t, err, name)
		require.NoError(t, story.Upkeep(ctx, story.At(s.URL)), name)

		require.NoError(t, trouble.end(), name)
		for _, call := range calls {
			answer, err := done.Owner.Call(ctx, call.method, call.path, call.body, rand.Text())
			require.NoError(t, err, "after %s: %s", name, call.path)
			require.Less(t, answer.Status, 300, "after %s: %s: %s", name, call.path, answer.Body)
			done.Photos = append(done.Photos, story.Photo{ID: call.upload, By: done.Owner})
		}
		require.NoError(t, done.Look(ctx, stranger), name)
	}
}

type attachingCall struct {
	method, path string
	body         map[string]any
	upload       int64
}

// attaching are the owner's calls that attach a photo each, which has been sent.
func attaching(ctx context.Context, t *testing.T, d *story.Done, shot []byte) []attachingCall {
	t.Helper()
	calls := []attachingCall{
		{http.MethodPost, "/api/task-completions/", map[string]any{"task_id": d.Task}, 0},
		{http.MethodPost, "/api/documents/", map[string]any{"residence_id": d.Residence, "title": "Roof", "document_type": "photo"}, 0},
		{http.MethodPatch, fmt.Sprintf("/api/residences/%d/", d.Residence), map[string]any{}, 0},
	}
	for i, category := range []string{"completion_image", "document_image", "residence_image"} {
		sent, err := d.Owner.Send(ctx, story.Picture(category, shot))
		require.NoError(t, err)
		calls[i].upload, calls[i].body["upload_ids"] = sent, []any{sent}
	}
	return calls
}

// TestKill9WhileCleaning kills the function in the middle of a photo. Until it is done, nobody is shown anything.
func TestKill9WhileCleaning(t *testing.T) {
	t.Parallel()
	const kills = 3
	s := ownSystem(t)
	db := owner(t, s)
	ctx := within(t, 3*time.Minute)
	done, err := story.MainJob(ctx, story.At(s.URL))
	require.NoError(t, err)
	shot, err := story.Shot(6000, 4000) // which takes a while
	require.NoError(t, err)
	sent, err := done.Member.Send(ctx, story.Picture("completion_image", shot))
	require.NoError(t, err)
	require.NoError(t, done.Member.Create(ctx, "/api/task-completions/", http.StatusCreated, map[string]any{"task_id": done.Task, "upload_ids": []any{sent}}, nil))
	media := fmt.Sprintf("/api/media/%d/", sent)
	for n := range kills {
		require.Eventually(t, func() bool {
			return value[int](t, db, `SELECT attempts FROM outbox_delivery WHERE consumer = 'media'`) > n
		}, time.Minute, 5*time.Millisecond)
		require.True(t, s.Kill("media"))
		answer, err := done.Owner.Call(ctx, http.MethodGet, media, nil, "")
		require.NoError(t, err)
		refused(t, "while it is being cleaned", answer, http.StatusConflict)
		require.NotEmpty(t, answer.Header.Get("Retry-After"))
	}
	require.NoError(t, story.Photo{ID: sent, By: done.Member}.Ready(ctx))
	for _, path := range []string{media, media + "?size=thumb"} {
		_, err := done.Owner.Fetch(ctx, path)
		require.NoError(t, err)
	}
	require.Equal(t, 1, value[int](t, db, `SELECT count(*) FROM outbox_delivery WHERE consumer = 'media' AND state = 'done' AND attempts = $1`, kills+1))
}
