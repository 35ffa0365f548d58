package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/pg"
)

// A ticker is the planning half of the function, with a clock that the test sets.
type ticker struct {
	*functiontest.Server
	service *service
	now     time.Time
	log     *logbook
}

func newTicker(t *testing.T, now time.Time) *ticker {
	t.Helper()
	db := devtest.New(t)
	none := func(*function.Base) func(huma.API) { return func(huma.API) {} }
	k := &ticker{Server: functiontest.StartOn(t, db, "tasks", none), now: now, log: &logbook{}}
	k.Exec(t, `ALTER TABLE auth_user ALTER created_at SET DEFAULT '2025-01-01'`) // people have had their account for long
	k.service = k.through(t, db.URL("honeydue_notifications"), db.ExecMode())
	return k
}

// through returns a service that reaches the database at that URL.
func (k *ticker) through(t *testing.T, url, mode string) *service {
	t.Helper()
	cfg := pg.Config{URL: url, PoolSize: 4}
	require.NoError(t, cfg.ExecMode.Decode(mode))
	db, err := pg.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return &service{
		db: db, log: slog.New(slog.NewJSONHandler(k.log, nil)), deadline: time.Millisecond,
		now: func() time.Time { return k.now },
	}
}

func (k *ticker) plan(ctx context.Context, schedule string) (planned int, whole bool, err error) {
	if schedule == "digests" {
		return k.service.planDigests(ctx)
	}
	return k.service.planReminders(ctx)
}

// tickOf posts what the schedule sends, which must be answered by 204.
func (k *ticker) tickOf(t *testing.T, schedule string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", http.NoBody)
	r.Header.Set("Ce-Type", events.PingType)
	r.Header.Set("Ce-Source", "/apis/v1/namespaces/honeydue/pingsources/"+schedule)
	w := httptest.NewRecorder()
	k.service.handler().ServeHTTP(w, r)
	require.Equal(t, http.StatusNoContent, w.Code)
}

// tick plans all that is to be planned, and returns how many messages that were.
func (k *ticker) tick(t *testing.T, schedule string) int {
	t.Helper()
	planned, whole, err := k.plan(t.Context(), schedule)
	require.NoError(t, err)
	require.True(t, whole)
	return planned
}
