package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function/functiontest"
)

func (h *house) sweep(t *testing.T) {
	t.Helper()
	require.Equal(t, http.StatusNoContent, post(t, h.url, ping("uploads")))
}

func TestWhatNobodyAttachedGoes(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, h *house) {
		old, late, open := h.sent(t, 3, time.Hour), h.sent(t, 1, 10*time.Second), h.sent(t, 1, -10*time.Minute)
		given := h.sent(t, 1, time.Hour)
		h.Exec(t, `UPDATE pending_uploads SET state = 'given_up' WHERE object_key = $1`, given[0])
		photo := h.attached(t, nil, nil)
		// Sent twice, hidden, and never sent.
		h.put(t, old[0], old[1])
		h.hide(t, old[1])
		require.NoError(t, h.service.store.Delete(t.Context(), old[2]))

		h.sweep(t)
		require.ElementsMatch(t, slices.Concat(late, open, photo), h.stored(t))
		require.Equal(t, []string{"expired", "expired", "pending", "given_up"},
			[]string{h.state(t, old[0]), h.state(t, late[0]), h.state(t, open[0]), h.state(t, given[0])})
		require.Equal(t, 1, h.tombstones(t), "a signed address may still send what has just expired")
		h.bury(t)
		h.sweep(t)
		require.ElementsMatch(t, slices.Concat(open, photo), h.stored(t))
		require.Zero(t, h.tombstones(t))
	})
}

func TestAnUploadThatIsBeingAttachedIsLeftAlone(t *testing.T) {
	t.Parallel()
	h := setupHouse(t, devtest.NewBucket(t))
	key := h.sent(t, 1, time.Hour)[0]
	tx, err := h.Owner.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `UPDATE pending_uploads SET state = 'attached' WHERE object_key = $1`, key)
	require.NoError(t, err)
	h.sweep(t)
	require.NoError(t, tx.Commit(t.Context()))
	require.Equal(t, "attached", h.state(t, key))
}

func TestRowsThatEndedAreForgotten(t *testing.T) {
	t.Parallel()
	h := setupHouse(t, devtest.NewBucket(t))
	kept, gone := h.attached(t, nil, nil), h.attached(t, nil, nil)
	h.Exec(t, `UPDATE pending_uploads SET created_at = now() - interval '25 hours'`)
	key := path.Dir(gone[0])
	h.Exec(t, `DELETE FROM upload_media WHERE object_key = $1`, key)
	require.Equal(t, "given_up", h.state(t, strings.Replace(key, "media", "uploads", 1)))
	h.Exec(t, `
		INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, state, created_at, expires_at)
		SELECT $1, 'document_file', 'application/pdf', 5, 0, 'uploads/' || state || age, state, now() - age::interval, now() + interval '5 minutes'
		FROM unnest(ARRAY['pending', 'expired', 'given_up']) state, unnest(ARRAY['25 hours', '23 hours']) age`, h.owner.ID)
	h.sweep(t)
	require.Equal(t, []string{"attached", "expired23 hours", "given_up23 hours", "pending23 hours", "pending25 hours"},
		functiontest.Value[[]string](t, h.Server, `
			SELECT array_agg(name ORDER BY name) FROM (
				SELECT CASE state WHEN 'attached' THEN state ELSE substr(object_key, 9) END AS name FROM pending_uploads) kept`),
		"one still has its photo")
	require.ElementsMatch(t, kept, h.stored(t))
}

// TestWhatIsDeletedTakesItsPhotosAlong deletes what a photo hangs on, by the cascade that production has.
func TestWhatIsDeletedTakesItsPhotosAlong(t *testing.T) {
	t.Parallel()
	h := setupHouse(t, devtest.NewBucket(t))
	task := functiontest.Value[int64](t, h.Server, `INSERT INTO task_task (residence_id, title) VALUES ($1, 'Clean the gutters') RETURNING id`, h.home)
	completion := functiontest.Value[int64](t, h.Server, `
		INSERT INTO task_taskcompletion (task_id, completed_on, before_in_progress) VALUES ($1, '2026-06-01', false) RETURNING id`, task)
	document := functiontest.Value[int64](t, h.Server, `
		INSERT INTO upload_document (residence_id, title, document_type) VALUES ($1, 'Boiler', 'warranty') RETURNING id`, h.home)
	photos := map[string][]string{
		"home": h.attached(t, nil, nil), "completion": h.attached(t, &completion, nil), "document": h.attached(t, nil, &document),
	}
	sent := h.sent(t, 2, -10*time.Minute)
	left := func() []string { return slices.Concat(photos["home"], photos["completion"], photos["document"], sent) }
	require.ElementsMatch(t, left(), h.stored(t))
	for _, step := range []struct {
		gone, sql string
		id        int64
	}{
		{"completion", `DELETE FROM task_task WHERE id = $1`, task},
		{"document", `DELETE FROM upload_document WHERE id = $1`, document},
		{"home", `DELETE FROM residence_residence WHERE id = $1`, h.home},
	} {
		h.Exec(t, step.sql, step.id)
		require.Equal(t, 3, h.tombstones(t), step.gone)
		delete(photos, step.gone)
		h.sweep(t)
		require.ElementsMatch(t, left(), h.stored(t), step.gone)
		require.Zero(t, h.tombstones(t), step.gone)
	}
	h.Exec(t, `DELETE FROM auth_user WHERE id = $1`, h.owner.ID)
	h.sweep(t)
	require.ElementsMatch(t, sent, h.stored(t), "signed addresses may still send them")
	h.bury(t)
	h.sweep(t)
	require.Empty(t, h.stored(t))
}

func TestABucketThatIsAwayIsWaitedFor(t *testing.T) {
	t.Parallel()
	server := devtest.StartS3(t)
	h := setupHouse(t, devtest.NewBucketOn(t, server))
	keys, photo := h.sent(t, 3, time.Hour), h.attached(t, nil, nil)
	require.NoError(t, server.Stop(t.Context()))
	require.Equal(t, http.StatusServiceUnavailable, post(t, h.url, ping("uploads")))
	require.ErrorContains(t, h.service.sweepUploads(t.Context()), "look at S3_ENDPOINT")
	require.Equal(t, "expired", h.state(t, keys[0]), "the database is no worse for it")
	require.Equal(t, 3, h.tombstones(t))
	require.Equal(t, http.StatusNoContent, post(t, h.url, ping("outbox")))

	require.NoError(t, server.Start(t.Context()))
	h.bury(t)
	h.sweep(t)
	require.ElementsMatch(t, photo, h.stored(t))
	require.Zero(t, h.tombstones(t))
}

func TestAClaimThatWasCutOffIsFreeAfterAMinute(t *testing.T) {
	t.Parallel()
	server := devtest.StartS3(t)
	h := setupHouse(t, devtest.NewBucketOn(t, server))
	h.sent(t, 1, time.Hour)
	require.NoError(t, server.Stop(t.Context()))
	require.Error(t, h.service.sweepUploads(t.Context()))
	require.NoError(t, server.Start(t.Context()))
	require.InDelta(t, 60, functiontest.Value[float64](t, h.Server, `SELECT extract(epoch FROM due_at - now())::float8 FROM upload_tombstone`), 15)
	h.sweep(t)
	require.Len(t, h.stored(t), 1)
	h.bury(t)
	h.sweep(t)
	require.Empty(t, h.stored(t))
}

// TestOneObjectThatTheBucketRefusesHoldsNoneBack stands before the bucket and refuses to delete one object.
func TestOneObjectThatTheBucketRefusesHoldsNoneBack(t *testing.T) {
	t.Parallel()
	at := devtest.NewBucket(t)
	var locked string
	proxy := httptest.NewServer(devtest.Before(t, at, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost || !r.URL.Query().Has("delete") {
			return false
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || strings.Contains(string(body), locked) {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		return false
	}))
	t.Cleanup(proxy.Close)
	like := *at
	like.Endpoint = proxy.URL
	h := setupHouse(t, &like)
	keys := h.sent(t, 2*batchDrained, time.Hour)
	locked = keys[7]
	h.sweep(t)
	require.Equal(t, []string{locked}, h.stored(t))
	require.Equal(t, 1, h.tombstones(t))
}

// TestABucketThatRefusesAllEndsTheSweep stands before the bucket and refuses what a key without the right to list versions may not do.
func TestABucketThatRefusesAllEndsTheSweep(t *testing.T) {
	t.Parallel()
	at := devtest.NewBucket(t)
	var refusing atomic.Bool
	var refused atomic.Int64
	proxy := httptest.NewServer(devtest.Before(t, at, func(w http.ResponseWriter, r *http.Request) bool {
		if !refusing.Load() || !r.URL.Query().Has("versions") {
			return false
		}
		refused.Add(1)
		w.WriteHeader(http.StatusForbidden)
		return true
	}))
	t.Cleanup(proxy.Close)
	like := *at
	like.Endpoint = proxy.URL
	h := setupHouse(t, &like)
	sent, photo := h.sent(t, 4*batchDrained, time.Hour), h.attached(t, nil, nil)
	refusing.Store(true)
	require.Equal(t, http.StatusServiceUnavailable, post(t, h.url, ping("uploads")))
	require.LessOrEqual(t, refused.Load(), int64(2*drainers*batchDrained), "a batch of each drainer")
	require.Equal(t, len(sent), h.tombstones(t))
	h.bury(t)
	require.ErrorContains(t, h.service.sweepUploads(t.Context()), "the bucket's key must be allowed to list and delete versions")

	// Of a page without a row nothing goes either, and the look is not held up by it.
	h.Exec(t, `DELETE FROM upload_tombstone`)
	h.Exec(t, `UPDATE upload_sweep SET after_key = 'uploads/'`)
	h.tomorrow()
	_, more, err := h.service.lookThrough(t.Context(), shelves()[0])
	require.ErrorIs(t, err, errRefused)
	require.False(t, more)
	require.Empty(t, h.position(t, "uploads/"))

	refusing.Store(false)
	h.sweep(t)
	require.ElementsMatch(t, photo, h.stored(t))
}

func TestSweepsAtOnceAreOfNoHarm(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, h *house) {
		h.sent(t, 3*batchDrained, time.Hour)
		photo := h.attached(t, nil, nil)
		errs := make([]error, 4)
		var group sync.WaitGroup
		for i := range errs {
			s := h.sweeper(t)
			s.now = func() time.Time { return time.Now().Add(25 * time.Hour) }
			group.Go(func() { errs[i] = s.sweepUploads(context.WithoutCancel(t.Context())) })
		}
		group.Wait()
		require.NoError(t, errors.Join(errs...))
		require.ElementsMatch(t, photo, h.stored(t))
		require.Zero(t, h.tombstones(t))
		require.Equal(t, 3*batchDrained, functiontest.Value[int](t, h.Server, `SELECT count(*) FROM pending_uploads WHERE state = 'expired'`))
	})
}

func TestATimeThatWasTooShortIsNoError(t *testing.T) {
	t.Parallel()
	h := setupHouse(t, devtest.NewBucket(t))
	h.sent(t, 1, time.Hour)
	over, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	require.NoError(t, h.service.sweepUploads(over))
	h.sweep(t)
	require.Empty(t, h.stored(t))
}
