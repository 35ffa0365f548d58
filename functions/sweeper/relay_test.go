package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/run"
)

func TestWhatIsDueIsPublished(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.event(t, 0)
	b.tick(t)
	require.Equal(t, []string{id}, b.broker.ids())
	got := b.broker.last()
	require.Equal(t, "/honeydue/default", got.path)
	require.JSONEq(t, `{"task_id": 7, "actor_id": 1, "assignee_id": 2, "residence_id": 3}`, got.body)
	for header, value := range map[string]string{
		"Content-Type":   "application/json",
		"Ce-Specversion": "1.0",
		"Ce-Type":        "com.myhoneydue.task.assigned.v1",
		"Ce-Source":      "/functions/tasks",
		"Ce-Subject":     "tasks/7",
		"Ce-Time":        "2026-04-02T12:00:00.5Z",
		"Ce-Dataschema":  "https://myhoneydue.com/schemas/com.myhoneydue.task.assigned.v1.json",
		"Ce-Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"Traceparent":    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	} {
		require.Equal(t, value, got.header.Get(header), header)
	}
}

func TestWhatNobodyConfirmsComesLaterEachTime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.event(t, 0)
	for _, seconds := range []float64{60, 120, 240, 480, 960, 1920, 3600, 3600} {
		b.tick(t)
		require.InDelta(t, seconds, b.wait(t, id), 10)
		published := len(b.broker.ids())
		b.tick(t)
		require.Len(t, b.broker.ids(), published, "published before its time")
		b.due(t)
	}
	require.Equal(t, slices.Repeat([]string{id}, 8), b.broker.ids())
}

func TestThePauseOfAnEventThatNobodyEverConfirmsStaysAnHour(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.event(t, 0)
	b.Exec(t, `UPDATE outbox_delivery SET publications = 5000`)
	b.tick(t)
	require.InDelta(t, 3600, b.wait(t, id), 10)
}

// A database that hangs while the broker answers must not hold a relay for longer than its leases last.
func TestARelayDoesNotWaitForADatabaseThatHangs(t *testing.T) {
	t.Parallel()
	servers := devtest.NewServers(t)
	b := setupOn(t, servers.New(t))
	for range events.RelayBatch {
		b.event(t, 0)
	}
	b.broker.set(func(string) int { servers.Postgres.Pause(); return http.StatusAccepted })
	began := time.Now()
	_, err := b.service.relay.Sweep(t.Context())
	require.Error(t, err)
	require.Less(t, time.Since(began), 25*time.Second)
	servers.Postgres.Resume()
}

func TestOnlyWhatIsPendingAndDueIsPublished(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.event(t, 5*time.Second) // its function is still publishing it
	for _, state := range []string{"done", "dead"} {
		b.Exec(t, `UPDATE outbox_delivery SET state = $2 WHERE event_id = $1`, b.event(t, 0), state)
	}
	b.tick(t)
	require.Empty(t, b.broker.ids())
}

func TestFourRelaysAtOncePublishEachEventOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	want := make([]string, 150)
	for i := range want {
		want[i] = b.event(t, 0)
	}
	swept := make([]events.Swept, 4)
	errs := make([]error, len(swept))
	var group sync.WaitGroup
	for i := range swept {
		s := newService(b.open(t, "honeydue_sweeper"), nil, b.brokerURL, slog.New(slog.DiscardHandler))
		group.Go(func() { swept[i], errs[i] = s.relay.Sweep(context.WithoutCancel(t.Context())) })
	}
	group.Wait()
	require.NoError(t, errors.Join(errs...))
	require.ElementsMatch(t, want, b.broker.ids())
	total := 0
	for _, s := range swept {
		total += s.Published
		require.Zero(t, s.Failed)
	}
	require.Equal(t, len(want), total)
}

func TestBrokerDownThenBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.broker.set(func(string) int { return http.StatusServiceUnavailable })
	var want []string
	for range 2*events.RelayBatch + 3 {
		want = append(want, b.event(t, 0))
	}
	b.tick(t)
	require.Empty(t, b.broker.ids())
	require.LessOrEqual(t, b.wait(t, want[0]), 0.0, "due again at once")
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT sum(publications)::int FROM outbox_delivery`))
	b.broker.set(nil)
	b.tick(t)
	require.ElementsMatch(t, want, b.broker.ids(), "one tick is enough")
}

func TestOneEventThatTheBrokerRefusesHoldsNoneBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bad := b.event(t, 0)
	b.broker.set(func(id string) int {
		if id == bad {
			return http.StatusBadRequest
		}
		return http.StatusAccepted
	})
	var want []string
	for range 2 * events.RelayBatch {
		want = append(want, b.event(t, 0))
	}
	b.tick(t)
	require.ElementsMatch(t, want, b.broker.ids())
	require.LessOrEqual(t, b.wait(t, bad), 0.0)
}

func TestAClaimThatWasKilledIsFreeAfterItsLease(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.event(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	b.broker.set(func(string) int { cancel(); return http.StatusServiceUnavailable })
	_, _ = b.service.relay.Sweep(ctx) // ends in the middle, as a kill does
	b.Exec(t, `UPDATE outbox_delivery SET next_at = now() + interval '30 seconds'`)
	b.broker.set(nil)
	b.tick(t)
	require.Empty(t, b.broker.ids())
	b.due(t)
	b.tick(t)
	require.Equal(t, []string{id}, b.broker.ids())
}

// A transaction that began first may commit last: a relay that remembered how far it got would miss its event.
func TestALateCommitIsFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tx, err := b.Owner.Begin(t.Context())
	require.NoError(t, err)
	late := uuid.Must(uuid.NewV7()).String()
	_, err = tx.Exec(t.Context(), `INSERT INTO outbox_event (id, type, source, subject, time, data)
		VALUES ($1, 'com.myhoneydue.user.registered.v1', '/functions/auth', 'users/1', now(), '{"user_id": 1}')`, late)
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `INSERT INTO outbox_delivery (event_id, consumer, next_at) VALUES ($1, 'notifications', now() - interval '1 hour')`, late)
	require.NoError(t, err)
	early := b.event(t, 0)
	b.tick(t)
	require.Equal(t, []string{early}, b.broker.ids())
	require.NoError(t, tx.Commit(t.Context()))
	b.tick(t)
	require.Equal(t, []string{early, late}, b.broker.ids())
}

func TestAReplayKeepsItsID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.event(t, time.Hour)
	b.Exec(t, `UPDATE outbox_delivery SET state = 'dead', attempts = 12, reason = 'why not'`)
	again, err := events.Replay(t.Context(), b.Owner, uuid.MustParse(id), "notifications")
	require.NoError(t, err)
	require.True(t, again)
	again, err = events.Replay(t.Context(), b.Owner, uuid.MustParse(id), "notifications")
	require.NoError(t, err)
	require.False(t, again, "it is pending already")
	b.tick(t)
	require.Equal(t, []string{id}, b.broker.ids())
	require.Equal(t, "pending 0", functiontest.Value[string](t, b.Server, `SELECT concat_ws(' ', state, attempts, reason) FROM outbox_delivery`))
}

// outbox returns that of the function tasks, on a broker that works.
func (b *bundle) outbox() (*events.Outbox, *run.Background) {
	background := &run.Background{}
	o := *b.Base.Outbox
	o.Publisher = events.NewPublisher(b.brokerURL)
	o.Tasks = background
	return &o, background
}

func TestPublishingOutlivesTheRequestAndIsWaitedFor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	outbox, background := b.outbox()
	arrived, release := make(chan string, 1), make(chan struct{})
	b.broker.set(func(id string) int { arrived <- id; <-release; return http.StatusAccepted })
	request, cancel := context.WithCancel(t.Context())
	require.NoError(t, pg.InTx(request, b.Base.DB, func(tx *pg.Tx) error {
		return outbox.Append(request, tx, events.TaskAssigned{TaskID: 7, ResidenceID: 3, AssigneeID: 2, ActorID: 1})
	}))
	cancel() // the answer is out
	id := <-arrived
	require.InDelta(t, 30, b.wait(t, id), 10, "born with a lease")
	b.tick(t)
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.Error(t, background.Wait(short), "ended while an event was on its way")
	close(release)
	require.NoError(t, background.Wait(t.Context()))
	require.Equal(t, []string{id}, b.broker.ids())
	require.InDelta(t, 60, b.wait(t, id), 10)
}

func TestAnEventIsPublishedOnlyWhenItsTransactionCommitted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	outbox, background := b.outbox()
	changed := errors.New("changed my mind")
	err := pg.InTx(t.Context(), b.Base.DB, func(tx *pg.Tx) error {
		if err := outbox.Append(t.Context(), tx, events.TaskAssigned{TaskID: 7}); err != nil {
			return err
		}
		return changed
	})
	require.ErrorIs(t, err, changed)
	require.NoError(t, background.Wait(t.Context()))
	require.Empty(t, b.broker.ids())
	require.Empty(t, b.Events(t))

	err = pg.InTx(t.Context(), b.Base.DB, func(tx *pg.Tx) error {
		return outbox.Append(t.Context(), tx, events.UserRegistered{UserID: 1})
	})
	require.ErrorContains(t, err, "belongs to auth, not to tasks")
}

func TestAnEventThatCouldNotBePublishedIsDueAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	outbox, background := b.outbox()
	b.broker.set(func(string) int { return http.StatusBadGateway })
	require.NoError(t, pg.InTx(t.Context(), b.Base.DB, func(tx *pg.Tx) error {
		return outbox.Append(t.Context(), tx, events.TaskAssigned{TaskID: 7, ResidenceID: 3, AssigneeID: 2, ActorID: 1})
	}))
	require.NoError(t, background.Wait(t.Context()))
	b.broker.set(nil)
	b.tick(t)
	require.Len(t, b.broker.ids(), 1)
}
