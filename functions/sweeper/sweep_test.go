package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/pg"
)

func TestOnlyConfirmedEventsAreForgottenAfterThirtyDays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	event := func(state, age string) string {
		id := b.event(t, time.Hour)
		b.Exec(t, `UPDATE outbox_event SET time = now() - $2::interval WHERE id = $1`, id, age)
		b.Exec(t, `UPDATE outbox_delivery SET state = $2 WHERE event_id = $1`, id, state)
		return id
	}
	event("done", "30 days 1 minute")
	kept := []string{event("done", "29 days 23 hours"), event("pending", "90 days"), event("dead", "90 days")}
	half := event("done", "90 days")
	b.Exec(t, `INSERT INTO outbox_delivery (event_id, consumer, state, next_at) VALUES ($1, 'media', 'pending', now() + interval '1 hour')`, half)
	b.tick(t)
	require.ElementsMatch(t, append(kept, half), functiontest.Value[[]string](t, b.Server, `SELECT array_agg(id::text) FROM outbox_event`))
	require.Equal(t, 5, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM outbox_delivery`))
}

func TestWhatNobodyNeedsIsRemoved(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.Person(t, "Anna")
	b.Exec(t, `INSERT INTO shared_idempotency (key_hash, body_hash, status, answer, created_at)
		SELECT decode(md5(age), 'hex'), '', 201, '{}', now() - age::interval FROM unnest(ARRAY['25 hours', '23 hours']) age`)
	b.Exec(t, `INSERT INTO shared_limit (key_hash, hits, granted, expires_at)
		SELECT decode(md5(age), 'hex'), '{}', true, now() - age::interval FROM unnest(ARRAY['1 second', '-1 minute']) age`)
	b.Exec(t, `INSERT INTO auth_session (user_id, token_hash, expires_at)
		SELECT $1, decode(md5(age), 'hex'), now() - age::interval FROM unnest(ARRAY['31 days', '29 days']) age`, p.ID)
	b.Exec(t, `INSERT INTO auth_code (user_id, purpose, nonce, expires_at)
		SELECT $1, 'verify_email', '', now() - age::interval FROM unnest(ARRAY['31 days', '29 days']) age`, p.ID)
	b.Exec(t, `INSERT INTO notification_message (event_id, user_id, channel, type, refs, state, expires_at, created_at)
		SELECT gen_random_uuid(), $1, 'email', 'security', '{}', state, now(), now() - age::interval
		FROM (VALUES ('sent', '91 days'), ('dead', '91 days'), ('pending', '91 days'), ('sent', '89 days')) old (state, age)`, p.ID)
	b.Exec(t, `INSERT INTO auth_email_change (user_id, old_email, changed_at)
		SELECT $1, 'old@example.com', now() - age::interval FROM unnest(ARRAY['31 days', '29 days']) age`, p.ID)
	b.Exec(t, `
		WITH operator AS (INSERT INTO admin_account (email, role) VALUES ('operator@example.com', 'admin') RETURNING id)
		INSERT INTO admin_session (account_id, kind, token_hash, expires_at)
		SELECT id, 'panel', decode(md5(age), 'hex'), now() - age::interval FROM operator, unnest(ARRAY['1 second', '-1 minute']) age`)
	b.tick(t)
	for table, rows := range map[string]int{
		"shared_idempotency": 1, "shared_limit": 1, "auth_session": 2, "auth_code": 1, "auth_email_change": 1, "notification_message": 2,
		"admin_session": 1, "admin_account": 1,
	} {
		require.Equal(t, rows, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM `+table), table)
	}
}

func TestAKeyThatIsRenewedMeanwhileStays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `INSERT INTO shared_idempotency (key_hash, body_hash, status, answer, created_at) VALUES ('k', '', 201, '{}', now() - interval '25 hours')`)
	tx, err := b.Owner.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `UPDATE shared_idempotency SET created_at = now()`)
	require.NoError(t, err)
	removed := make(chan error, 1)
	go func() { _, err := b.service.remove(context.WithoutCancel(t.Context())); removed <- err }()
	require.Eventually(t, func() bool {
		return functiontest.Value[bool](t, b.Server, `
			SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`)
	}, 3*time.Second, 5*time.Millisecond)
	require.NoError(t, tx.Commit(t.Context()))
	require.NoError(t, <-removed)
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM shared_idempotency`))
}

func TestMoreThanABatchIsRemoved(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Exec(t, `INSERT INTO shared_limit (key_hash, hits, granted, expires_at)
		SELECT decode(md5(n::text), 'hex'), '{}', true, now() - interval '1 hour' FROM generate_series(1, $1::int) n`, 2*batchRemoved+1)
	b.tick(t)
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM shared_limit`))
}

func TestOnlyItsTickWakesIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.event(t, 0)
	for name, headers := range map[string]map[string]string{
		"an event":         {"Ce-Id": id, "Ce-Type": "com.myhoneydue.task.assigned.v1"},
		"an unknown event": {"Ce-Id": uuid.NewString(), "Ce-Type": "com.example.forged"},
		"another schedule": {"Ce-Type": events.PingType, "Ce-Source": "/apis/v1/namespaces/honeydue/pingsources/deliveries"},
		"no event":         nil,
	} {
		require.Equal(t, http.StatusNoContent, post(t, b.url, headers), name)
	}
	require.Equal(t, http.StatusNotFound, post(t, b.url+"/typo", nil))
	require.Empty(t, b.broker.ids())
	require.Equal(t, "pending 0", functiontest.Value[string](t, b.Server, `SELECT concat_ws(' ', state, attempts) FROM outbox_delivery`))
}

func TestPostgresDownIsPutOff(t *testing.T) {
	t.Parallel()
	down, err := pg.Open(t.Context(), pg.Config{URL: "postgres://honeydue_sweeper@127.0.0.1:1/honeydue", PoolSize: 4})
	require.NoError(t, err)
	t.Cleanup(down.Close)
	server := httptest.NewServer(newService(down, nil, "http://127.0.0.1:1/honeydue/default", slog.New(slog.DiscardHandler)).handler())
	t.Cleanup(server.Close)
	for _, schedule := range []string{"outbox", "uploads"} {
		began := time.Now()
		require.Equal(t, http.StatusServiceUnavailable, post(t, server.URL, ping(schedule)))
		require.Less(t, time.Since(began), 5*time.Second)
	}
}
