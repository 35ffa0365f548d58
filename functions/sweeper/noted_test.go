package main

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// runs returns how many ticks of a schedule are noted.
func (b *bundle) runs(t *testing.T, schedule string) int {
	t.Helper()
	return functiontest.Value[int](t, b.Server, `SELECT cardinality(runs) FROM shared_schedule WHERE name = $1`, schedule)
}

// TestTicksAreNoted: once each, however many batches they take.
func TestTicksAreNoted(t *testing.T) {
	t.Parallel()
	h := setupHouse(t, devtest.NewBucket(t))
	for range 2*events.RelayBatch + 1 {
		h.event(t, 0)
	}
	h.tick(t)
	require.Len(t, h.broker.ids(), 2*events.RelayBatch+1)
	require.Equal(t, 1, h.runs(t, "outbox"))
	require.Zero(t, h.runs(t, "uploads"))

	h.Exec(t, `
		INSERT INTO pending_uploads (user_id, category, content_type, content_length, slack, object_key, expires_at)
		SELECT $1, 'completion_image', 'image/jpeg', 5, 256, 'uploads/' || n, now() - interval '1 second' FROM generate_series(1, $2::int) n`,
		h.owner.ID, batchRemoved+1)
	require.Equal(t, http.StatusNoContent, post(t, h.url, ping("uploads")))
	require.Equal(t, batchRemoved+1, functiontest.Value[int](t, h.Server, `SELECT count(*) FROM pending_uploads WHERE state = 'expired'`))
	require.Equal(t, 1, h.runs(t, "uploads"))
	require.Equal(t, 1, h.runs(t, "outbox"))
	require.True(t, functiontest.Value[bool](t, h.Server, `SELECT bool_and(failed_at IS NULL) FROM shared_schedule`))
}

func TestTicksAtOnceAreNoted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range events.RelayBatch {
		b.event(t, 0)
	}
	var answers [8]*httptest.ResponseRecorder
	var group sync.WaitGroup
	for i := range answers {
		answers[i] = httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", http.NoBody)
		for name, value := range ping("outbox") {
			r.Header.Set(name, value)
		}
		group.Go(func() { b.service.handler().ServeHTTP(answers[i], r) })
	}
	group.Wait()
	for _, answer := range answers {
		require.Equal(t, http.StatusNoContent, answer.Code)
	}
	require.Len(t, b.broker.ids(), events.RelayBatch)
	require.Equal(t, len(answers), b.runs(t, "outbox"))
}

func TestATickThatFailsIsNoted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `REVOKE DELETE ON shared_limit FROM honeydue_sweeper`)
	require.Equal(t, http.StatusServiceUnavailable, post(t, b.url, ping("outbox")))
	failed := functiontest.Value[time.Time](t, b.Server, `SELECT failed_at FROM shared_schedule WHERE name = 'outbox'`)
	require.WithinDuration(t, time.Now(), failed, time.Hour)
	require.Equal(t, 1, b.runs(t, "outbox"), "it ran")
}
