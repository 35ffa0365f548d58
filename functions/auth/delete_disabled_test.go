package main

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/pg"
)

// What the person could have done, with the same end: homes pass on or go, tasks become nobody's on the person's own day, and
// nobody sees a board from before.
func TestDeleteDisabled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.operator(t)
	ann, bob := b.person(t, "ann"), b.person(t, "bob")
	b.Exec(t, `UPDATE auth_user SET time_zone = 'Pacific/Kiritimati' WHERE id = $1`, ann.ID)
	shared, alone := b.Home(t, ann), b.Home(t, ann)
	b.Join(t, shared, bob, home.Member)
	task := b.task(t, shared, bob, &ann.ID)
	kept := b.KeepBoards(t, bob)
	b.cached(t, ann.Token)

	event := o.deletes(t, ann)
	b.alive(t, ann.Token, false)
	require.True(t, b.lives(t, ann), "auth alone deletes")
	told := b.Events(t)
	b.delivered(t, event, 204)
	require.False(t, b.lives(t, ann))
	require.Equal(t, "done", b.delivery(t, event))
	require.Equal(t, told, b.Events(t), "an event about someone who is gone")
	require.Equal(t, map[int64]string{bob.ID: "owner"}, b.roles(t, shared))
	require.False(t, b.exists(t, alone))
	require.False(t, kept(bob))
	require.True(t, functiontest.Value[bool](t, b.Server, `
		SELECT completed_on = (now() AT TIME ZONE 'Pacific/Kiritimati')::date FROM task_taskcompletion WHERE task_id = $1 AND kind = 'unassigned'`, task))
	functiontest.Refused(t, b.login(t, ann.Email, passphrase), 401)

	// Once more, by the broker or by an operator, it changes nothing.
	before := b.everything(t)
	b.delivered(t, event, 204)
	again, err := events.Replay(t.Context(), o.as.DB, event, "auth")
	require.NoError(t, err)
	require.True(t, again)
	b.delivered(t, event, 204)
	require.Equal(t, "done", b.delivery(t, event))
	require.Equal(t, before, b.everything(t))
}

// Whoever is enabled before the delivery stays, even if disabled again: that was about something else.
func TestDeletionThatIsTakenBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.operator(t)
	ann, bob := b.person(t, "ann"), b.person(t, "bob")
	event := o.deletes(t, ann)
	o.enables(t, ann)
	b.delivered(t, event, 204)
	require.True(t, b.lives(t, ann))
	require.Equal(t, "done", b.delivery(t, event))
	functiontest.Read[signedIn](t, b.login(t, ann.Email, passphrase), 200)

	event = o.deletes(t, bob)
	o.enables(t, bob)
	o.disables(t, bob)
	b.delivered(t, event, 204)
	require.True(t, b.lives(t, bob))
	require.Equal(t, "done", b.delivery(t, event))

	// Who was disabled before all that is asked to go with the next event.
	b.delivered(t, o.deletes(t, bob), 204)
	require.False(t, b.lives(t, bob))
	require.True(t, b.lives(t, ann))
}

// A delivery is believed in nothing but the id of an event that waits for auth.
func TestForgedDeliveries(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.operator(t)
	ann := b.person(t, "ann")
	o.disables(t, ann)
	b.register(t, "bob@example.com")
	registered := functiontest.Value[uuid.UUID](t, b.Server, `SELECT id FROM outbox_event WHERE type LIKE '%user.registered%'`)
	before := b.everything(t)
	for _, id := range []string{"", "1", fmt.Sprint(ann.ID), uuid.NewString(), registered.String(), "'; DELETE FROM auth_user; --"} {
		status, err := b.deliver(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, 204, status, id)
	}
	require.Equal(t, before, b.everything(t))
	require.Equal(t, "pending", functiontest.Value[string](t, b.Server, `SELECT state FROM outbox_delivery WHERE event_id = $1`, registered))

	// Even of events that wait for auth, only the one type deletes, and it must name a number.
	b.Exec(t, `INSERT INTO outbox_delivery (event_id, consumer, next_at) VALUES ($1, 'auth', now())`, registered)
	b.delivered(t, registered, 204)
	require.Equal(t, "dead", b.delivery(t, registered))
	event := o.deletes(t, ann)
	b.Exec(t, `UPDATE outbox_event SET data = '{"user_id": "7"}' WHERE id = $1`, event)
	b.delivered(t, event, 204)
	require.Equal(t, "dead", b.delivery(t, event))
	require.Equal(t, before, b.everything(t))

	// Someone who works is not deleted, whatever the event says.
	bob := b.person(t, "bob")
	require.NoError(t, pg.InTx(t.Context(), o.as.DB, func(tx *pg.Tx) error {
		return o.as.Outbox.Append(t.Context(), tx, events.UserDeletionRequested{UserID: bob.ID})
	}))
	b.delivered(t, functiontest.Value[uuid.UUID](t, b.Server, `SELECT id FROM outbox_event ORDER BY id DESC LIMIT 1`), 204)
	require.True(t, b.lives(t, bob))

	// There is nothing else at that place.
	functiontest.Refused(t, b.Call(t, "GET", "/", bob.Token, nil), 404)
	functiontest.Refused(t, b.Call(t, "DELETE", "/", bob.Token, nil), 404)
}

// Between the deletion and its confirmation the process may die: the delivery comes again, finds nobody, and is done.
func TestDeletionThatIsNotConfirmed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.operator(t)
	ann := b.person(t, "ann")
	event := o.deletes(t, ann)
	b.Exec(t, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$`)
	b.Exec(t, `CREATE TRIGGER refuse BEFORE UPDATE ON outbox_delivery FOR EACH ROW WHEN (new.state = 'done') EXECUTE FUNCTION refuse()`)
	b.delivered(t, event, 503)
	require.False(t, b.lives(t, ann))
	require.Equal(t, "pending", b.delivery(t, event))
	b.Exec(t, `DROP TRIGGER refuse ON outbox_delivery`)
	b.delivered(t, event, 204)
	require.Equal(t, "done", b.delivery(t, event))
}

// What fails half-way changes nothing, and comes again.
func TestDeletionByEventIsAllOrNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.operator(t)
	ann := b.person(t, "ann")
	alone := b.Home(t, ann)
	event := o.deletes(t, ann)
	before := b.everything(t)
	b.Exec(t, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$`)
	b.Exec(t, `CREATE CONSTRAINT TRIGGER refuse AFTER DELETE ON auth_user DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()`)
	b.delivered(t, event, 503)
	require.Equal(t, before, b.everything(t))
	require.Equal(t, "pending", b.delivery(t, event))
	b.Exec(t, `DROP TRIGGER refuse ON auth_user`)
	b.delivered(t, event, 204)
	require.False(t, b.exists(t, alone))
}

// Two deliveries and the operator who takes it back, at the same moment: all of the account goes, or nothing of it.
func TestDeletionByEventRaces(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.operator(t)
	ctx := t.Context()
	gone := 0
	for range 50 {
		ann := b.person(t, "ann")
		alone := b.Home(t, ann)
		event := o.deletes(t, ann)
		comes := func() error {
			status, err := b.deliver(ctx, event.String())
			if err == nil && status != 204 && status != 503 {
				err = fmt.Errorf("a delivery was answered %d", status)
			}
			return err
		}
		atOnce(t, comes, func() error { return o.enable(ctx, ann) }, comes)
		require.Equal(t, b.lives(t, ann), b.exists(t, alone))
		b.delivered(t, event, 204)
		require.Equal(t, "done", b.delivery(t, event))
		if !b.lives(t, ann) {
			gone++
			continue
		}
		functiontest.Read[signedIn](t, b.login(t, ann.Email, passphrase), 200)
	}
	t.Log("gone", gone)
}
