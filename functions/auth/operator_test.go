package main

import (
	"context"
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/pg"
)

// An operator does with admin's own role what the panel does to an account.
type operator struct {
	*bundle
	as *function.Base
}

func (b *bundle) operator(t *testing.T) operator {
	t.Helper()
	return operator{b, b.other(t, "admin")}
}

// disable disables p, signs them out everywhere, and has more done in the same transaction.
func (o operator) disable(ctx context.Context, p functiontest.Person, more func(tx *pg.Tx) error) error {
	return pg.InTx(ctx, o.as.DB, func(tx *pg.Tx) error {
		disabled := o.as.Now()
		if _, err := tx.Exec(ctx, `UPDATE auth_user SET disabled_at = coalesce(disabled_at, $2::timestamptz) WHERE id = $1`, p.ID, disabled); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, selectTokens, p.ID)
		if err != nil {
			return err
		}
		tokens, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
		if err != nil {
			return err
		}
		tx.Queue(`DELETE FROM auth_session WHERE user_id = $1`, p.ID)
		o.as.Cache.Revoke(ctx, tokens...)
		tx.AfterCommit(func() { o.as.Cache.Revoke(ctx, tokens...) })
		return more(tx)
	})
}

func nothingMore(*pg.Tx) error { return nil }

func (o operator) disables(t *testing.T, p functiontest.Person) {
	t.Helper()
	require.NoError(t, o.disable(t.Context(), p, nothingMore))
}

// deletes disables p, asks for the deletion of their account, and returns the event's id.
func (o operator) deletes(t *testing.T, p functiontest.Person) uuid.UUID {
	t.Helper()
	require.NoError(t, o.disable(t.Context(), p, func(tx *pg.Tx) error {
		return o.as.Outbox.Append(t.Context(), tx, events.UserDeletionRequested{UserID: p.ID})
	}))
	return functiontest.Value[uuid.UUID](t, o.Server, `SELECT id FROM outbox_event ORDER BY id DESC LIMIT 1`)
}

func (o operator) enable(ctx context.Context, p functiontest.Person) error {
	_, err := o.as.DB.Exec(ctx, `UPDATE auth_user SET disabled_at = NULL WHERE id = $1`, p.ID)
	return err
}

func (o operator) enables(t *testing.T, p functiontest.Person) {
	t.Helper()
	require.NoError(t, o.enable(t.Context(), p))
}

// deliver posts a delivery as a broker does and returns the answer's status. Its type is a lie, which must not matter.
func (b *bundle) deliver(ctx context.Context, id string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.URL, http.NoBody)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Ce-Id", id)
	req.Header.Set("Ce-Type", "com.myhoneydue.user.registered.v1")
	res, err := devtest.Client.Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

func (b *bundle) delivered(t *testing.T, event uuid.UUID, want int) {
	t.Helper()
	status, err := b.deliver(t.Context(), event.String())
	require.NoError(t, err)
	require.Equal(t, want, status)
}

// delivery returns the state of an event's delivery to auth.
func (b *bundle) delivery(t *testing.T, event uuid.UUID) string {
	t.Helper()
	return functiontest.Value[string](t, b.Server, `SELECT state FROM outbox_delivery WHERE event_id = $1 AND consumer = 'auth'`, event)
}

func (b *bundle) lives(t *testing.T, p functiontest.Person) bool {
	t.Helper()
	return functiontest.Value[bool](t, b.Server, `SELECT EXISTS (SELECT FROM auth_user WHERE id = $1)`, p.ID)
}
