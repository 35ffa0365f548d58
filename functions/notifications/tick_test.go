package main

import (
	"context"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/wire"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// nine is when everybody in UTC who changed nothing is reminded.
var nine = time.Date(2026, time.June, 1, 9, 0, 0, 0, time.UTC)

// newTickerAt returns a ticker that planned everything until a quarter of an hour before nine.
func newTickerAt(t *testing.T, now time.Time) *ticker {
	t.Helper()
	k := newTicker(t, now)
	k.Exec(t, `UPDATE notification_schedule SET planned_until = $1`, nine.Add(-15*time.Minute))
	return k
}

func (k *ticker) rows(t *testing.T) int {
	t.Helper()
	return functiontest.Value[int](t, k.Server, `SELECT count(*) FROM notification_message`)
}

func (k *ticker) plannedUntil(t *testing.T) time.Time {
	t.Helper()
	return functiontest.Value[time.Time](t, k.Server, `SELECT planned_until FROM notification_schedule WHERE name = 'reminders'`).UTC()
}

// place returns where a tick of the reminders stopped.
func (k *ticker) place(t *testing.T) string {
	t.Helper()
	return functiontest.Value[string](t, k.Server, `SELECT coalesce(reached::text, 'nowhere') FROM notification_schedule WHERE name = 'reminders'`)
}

// crew makes n people, each with a home and a task that is due on the day of nine.
func (k *ticker) crew(t *testing.T, n int) {
	t.Helper()
	k.Exec(t, `
		WITH person AS (
		    INSERT INTO auth_user (email, email_verified_at)
		    SELECT 'crew' || gen_random_uuid() || '@example.com', now() FROM generate_series(1, $1::int) RETURNING id
		),
		home AS (INSERT INTO residence_residence (name, created_by_id) SELECT 'Home', id FROM person RETURNING id, created_by_id),
		member AS (INSERT INTO residence_member (residence_id, user_id, role) SELECT id, created_by_id, 'owner' FROM home)
		INSERT INTO task_task (residence_id, title, next_due_on) SELECT id, 'Task', $2::date FROM home`, n, nine)
}

func TestReminderIsARowOfEachChannel(t *testing.T) {
	t.Parallel()
	k := newTickerAt(t, nine.Add(7*time.Minute))
	anna := k.Person(t, "anna")
	at := k.Home(t, anna)
	task := functiontest.Value[int64](t, k.Server, `
		INSERT INTO task_task (residence_id, title, next_due_on) VALUES ($1, 'Task', $2) RETURNING id`, at, nine)
	paper := functiontest.Value[int64](t, k.Server, `
		INSERT INTO upload_document (residence_id, title, document_type, warranty_expires_on)
		VALUES ($1, 'Paper', 'warranty', $2) RETURNING id`, at, nine.AddDate(0, 0, 7))
	k.Exec(t, `INSERT INTO auth_device (user_id, session_id, platform, token) SELECT user_id, id, 'ios', 'phone' FROM auth_session`)
	// An hour of silence is not asked before a message is sent.
	k.Exec(t, `UPDATE auth_user SET quiet_from = '00:00', quiet_to = '23:59', muted = '{warranty_expiring.push}'`)
	require.Equal(t, 5, k.tick(t, "reminders"))
	type row struct {
		Type, Channel, State string
		Subject              int64
		Occurrence, Refs     string
		Stage                int
		Next, Expires        time.Time
		Sent                 *time.Time
	}
	rows, err := k.Owner.Query(t.Context(), `
		SELECT type, channel, state, subject_id, occurrence_on::text, refs::text, stage, next_at, expires_at, sent_at
		FROM notification_message WHERE event_id IS NULL AND user_id = $1 AND attempts = 0 ORDER BY type, channel`, anna.ID)
	require.NoError(t, err)
	defer rows.Close()
	var have []row
	for rows.Next() {
		var r row
		require.NoError(t, rows.Scan(&r.Type, &r.Channel, &r.State, &r.Subject, &r.Occurrence, &r.Refs, &r.Stage, &r.Next, &r.Expires, &r.Sent))
		require.True(t, r.Next.Equal(nine) && r.Expires.Equal(nine.Add(24*time.Hour)), r)
		require.Equal(t, r.Channel == channelApp, r.Sent != nil && r.Sent.Equal(k.now))
		r.Next, r.Expires, r.Sent = time.Time{}, time.Time{}, nil
		have = append(have, r)
	}
	require.NoError(t, rows.Err())
	refs := func(subject string, id int64) string {
		return functiontest.Value[string](t, k.Server, `SELECT jsonb_build_object($1::text, $2::bigint, 'residence_id', $3::bigint)::text`, subject, id, at)
	}
	due := row{typeDueSoon, "", "pending", task, "2026-06-01", refs("task_id", task), 0, time.Time{}, time.Time{}, nil}
	ends := row{typeWarranty, "", "pending", paper, "2026-06-08", refs("document_id", paper), 7, time.Time{}, time.Time{}, nil}
	on := func(r row, channel string) row {
		if r.Channel = channel; channel == channelApp {
			r.State = "sent"
		}
		return r
	}
	require.Equal(t, []row{on(due, channelApp), on(due, channelEmail), on(due, channelPush), on(ends, channelApp), on(ends, channelEmail)}, have)
	require.Equal(t, k.now, k.plannedUntil(t))

	require.Zero(t, k.tick(t, "reminders"), "a second tick at that moment")
	require.Equal(t, 5, k.rows(t))
}

// TestTickOfNothingIsOneQuery: nobody's hour has come. That the schedule ran is noted all the same.
func TestTickOfNothingIsOneQuery(t *testing.T) {
	t.Parallel()
	k := newTickerAt(t, nine.Add(-time.Minute))
	k.crew(t, 10)
	counter, err := wire.Listen(context.Background())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, counter.Close()) })
	counter.To(functiontest.DatabaseAt(t, k.DB))
	through, err := url.Parse(k.DB.URL("honeydue_notifications"))
	require.NoError(t, err)
	through.Host = counter.Addr()
	k.service = k.through(t, through.String(), "exec")
	for _, schedule := range []string{"reminders", "digests"} {
		k.Exec(t, `UPDATE notification_schedule SET planned_until = $1`, nine.Add(-15*time.Minute))
		k.tickOf(t, schedule) // a process asks once which schema there is
		before := counter.Counts()
		k.tickOf(t, schedule)
		require.Equal(t, wire.Counts{Statements: 1, RoundTrips: 1}, counter.Counts().Sub(before), schedule)
		require.Zero(t, k.rows(t))
		require.Equal(t, 2, functiontest.Value[int](t, k.Server, `SELECT cardinality(runs) FROM shared_schedule WHERE name = $1`, schedule))
	}
}

// TestTicksAtOnce: each row is there once, and no tick fails for another.
func TestTicksAtOnce(t *testing.T) {
	t.Parallel()
	k := newTickerAt(t, nine)
	k.crew(t, 2*peopleAtOnce+10)
	var group sync.WaitGroup
	errs, planned := make([]error, 4), make([]int, 4)
	for i := range errs {
		group.Go(func() { planned[i], _, errs[i] = k.plan(t.Context(), "reminders") })
	}
	group.Wait()
	sum := 0
	for i, err := range errs {
		require.NoError(t, err)
		sum += planned[i]
	}
	require.Equal(t, 2*(2*peopleAtOnce+10), sum)
	require.Equal(t, sum, k.rows(t))
}

// TestTickThatIsCutOff: what it planned stays, planned_until does not move, and the next tick plans the rest of what that one was to.
func TestTickThatIsCutOff(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]func(t *testing.T, k *ticker) (whole bool, err error){
		"in the middle": func(t *testing.T, k *ticker) (bool, error) {
			// A row of the second batch never comes to its end.
			k.Exec(t, `
				CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
				    IF (SELECT count(*) FROM notification_message) > 700 THEN PERFORM pg_sleep(60); END IF; RETURN NEW;
				END $$`)
			k.Exec(t, `CREATE TRIGGER wait BEFORE INSERT ON notification_message FOR EACH ROW EXECUTE FUNCTION wait()`)
			ctx, cancel := context.WithCancel(t.Context())
			var group sync.WaitGroup
			var whole bool
			var err error
			group.Go(func() { _, whole, err = k.plan(ctx, "reminders") })
			require.Eventually(t, func() bool { return k.rows(t) > 0 }, 30*time.Second, 10*time.Millisecond)
			cancel()
			group.Wait()
			require.ErrorIs(t, err, context.Canceled)
			k.Exec(t, `DROP TRIGGER wait ON notification_message`)
			return whole, nil
		},
		"because its process ends": func(t *testing.T, k *ticker) (bool, error) {
			ends := make(chan struct{})
			k.service.ends = ends
			k.service.now = func() time.Time {
				close(ends)
				return k.now
			}
			_, whole, err := k.plan(t.Context(), "reminders")
			k.service.ends, k.service.now = nil, func() time.Time { return k.now }
			return whole, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newTickerAt(t, nine)
			k.crew(t, 2*peopleAtOnce)
			whole, err := cut(t, k)
			require.NoError(t, err)
			require.False(t, whole)
			require.Less(t, k.rows(t), 4*peopleAtOnce)
			require.Equal(t, nine.Add(-15*time.Minute), k.plannedUntil(t))
			k.now = nine.Add(15 * time.Minute)
			k.tick(t, "reminders")
			require.Equal(t, 4*peopleAtOnce, k.rows(t))
			require.Equal(t, nine, k.plannedUntil(t))
			require.Equal(t, "nowhere", k.place(t))
		})
	}
}

// TestAccountThatGoes: one that is deleted while a tick writes is not written to, and nobody else is left out.
func TestAccountThatGoes(t *testing.T) {
	t.Parallel()
	k := newTickerAt(t, nine)
	k.crew(t, 3)
	tx := k.Begin(t)
	_, err := tx.Exec(t.Context(), `DELETE FROM auth_user WHERE id = (SELECT max(id) FROM auth_user)`)
	require.NoError(t, err)
	planned := make(chan error, 1)
	go func() {
		_, _, err := k.plan(t.Context(), "reminders")
		planned <- err
	}()
	require.Eventually(t, func() bool {
		return functiontest.Value[bool](t, k.Server, `
			SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`)
	}, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, tx.Commit(t.Context()))
	require.NoError(t, <-planned)
	require.Equal(t, 4, k.rows(t))
}

// TestLateTick: what is late by less than a day is told, and of what is lost the log tells.
func TestLateTick(t *testing.T) {
	t.Parallel()
	k := newTickerAt(t, nine.Add(23*time.Hour))
	k.crew(t, 1)
	require.Equal(t, 2, k.tick(t, "reminders"), "within a day")
	require.NotContains(t, k.log.String(), "more than a day")
	require.True(t, functiontest.Value[bool](t, k.Server, `SELECT bool_and(expires_at = $1) FROM notification_message`, nine.Add(24*time.Hour)))

	// Three days without a tick: those of the last are told, what came before is not.
	k.now = nine.Add(4*24*time.Hour + 30*time.Minute)
	require.Equal(t, 0, k.tick(t, "reminders"), "four days overdue has no stage")
	require.Contains(t, k.log.String(), "nobody ticked for more than a day")
	require.Contains(t, k.log.String(), `"hours":49`)
}
