package tests

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/knative/local"
	"github.com/honeydue/backend/knative/local/mailbox"
	"github.com/honeydue/backend/tests/story"
)

// kills remembers when which function was killed.
type kills struct {
	mu sync.Mutex
	at map[string][]time.Time
}

// harass kills a random function at random moments until ctx ends, and auth no more often than a sign-in may be tried: one that was killed
// stays on the count, and a slow machine would be killed in every try.
func (k *kills) harass(ctx context.Context, s *local.System) {
	// Not media: a photo that takes it along five times is given up.
	functions := []string{"auth", "residences", "tasks", "uploads", "notifications", "notifications", "sweeper"}
	const signIns = 4
	for auth := 0; ; {
		pause := time.Duration(rand.IntN(120)) * time.Millisecond
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		name := functions[rand.IntN(len(functions))]
		if name == "auth" {
			if auth == signIns {
				continue
			}
			auth++
		}
		k.kill(s, name)
	}
}

// kill kills a function, if it runs.
func (k *kills) kill(s *local.System, name string) {
	if s.Kill(name) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.at[name] = append(k.at[name], time.Now())
	}
}

// between returns whether a function was killed in that time.
func (k *kills) between(name string, from, to time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.ContainsFunc(k.at[name], func(at time.Time) bool { return !at.Before(from) && !at.After(to) })
}

// explain returns how many messages arrived again, given when each arrived, by its id and perhaps whom it went to, and when each id was
// noted as sent.
func (k *kills) explain(t *testing.T, arrivals map[string][]time.Time, noted map[string]time.Time) (doubled int) {
	t.Helper()
	for what, times := range arrivals {
		id, _, _ := strings.Cut(what, " ")
		require.NoError(t, k.doubled(times, noted[id]), what)
		doubled += len(times) - 1
	}
	return doubled
}

// doubled returns what is wrong with when a message arrived. Nobody sent it once it was noted. Each arrival but the last was followed by
// a kill of the function that sent it, or came of what one that was killed had written: on a busy machine that is read late, and a note
// waits for the disk. The next came only when nobody who still lived could be at it, which is when the message's lease had ended.
func (k *kills) doubled(times []time.Time, noted time.Time) error {
	const clock, before, noting, restOfLease = 100 * time.Millisecond, 500 * time.Millisecond, 5 * time.Second, 10 * time.Second
	slices.SortFunc(times, time.Time.Compare)
	if again := times[len(times)-1].Sub(noted); !noted.IsZero() && again > clock { // never noted: it was dropped before another try
		return fmt.Errorf("it was sent %s after it was noted as sent", again)
	}
	for i, next := range times[1:] {
		at := times[i]
		switch apart := next.Sub(at); {
		case !k.between("notifications", at.Add(-before), at.Add(noting)):
			return fmt.Errorf("it was sent twice, %s apart, and no kill explains that: those around were %s", apart, k.around("notifications", at))
		case apart <= restOfLease:
			return fmt.Errorf("it was sent by two at once, %s apart", apart)
		}
	}
	return nil
}

// notedAs returns when each message was noted as sent, by its id.
func notedAs(t *testing.T, db *pgxpool.Pool) map[string]time.Time {
	t.Helper()
	return value[map[string]time.Time](t, db, `SELECT jsonb_object_agg(id, sent_at) FROM notification_message WHERE sent_at IS NOT NULL`)
}

func TestDoubled(t *testing.T) {
	t.Parallel()
	now := time.Now()
	killed := &kills{at: map[string][]time.Time{"notifications": {now.Add(time.Second)}}}
	after := func(seconds ...int) (all []time.Time) {
		for _, n := range seconds {
			all = append(all, now.Add(time.Duration(n)*time.Second))
		}
		return all
	}
	for name, c := range map[string]struct {
		times []time.Time
		noted int
		want  string
	}{
		"once":                      {after(0), 1, ""},
		"again after a kill":        {after(0, 60), 61, ""},
		"although it was noted":     {after(0, 60), 2, "after it was noted as sent"},
		"without a kill":            {after(20, 60), 61, "no kill explains that"},
		"while another was sending": {after(0, 9), 10, "by two at once"},
	} {
		err := killed.doubled(c.times, now.Add(time.Duration(c.noted)*time.Second))
		if c.want == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, c.want, name)
		}
	}
}

// around returns how long before and after a moment the function was killed, within ten seconds.
func (k *kills) around(name string, moment time.Time) (all []time.Duration) {
	const near = 10 * time.Second
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, at := range k.at[name] {
		if after := at.Sub(moment); after.Abs() < near {
			all = append(all, after)
		}
	}
	return all
}

func (k *kills) count() int {
	n := 0
	for _, at := range k.at {
		n += len(at)
	}
	return n
}

// TestKill9AtAnyMoment kills functions at random through 50 rounds of the story and then counts: no acknowledged
// write and no mail may be missing, and no mail is there twice unless the kill fell between the final dot and the
// commit of `sent`.
func TestKill9AtAnyMoment(t *testing.T) {
	t.Parallel()
	const rounds = 50
	s := ownSystem(t)
	db := owner(t, s)
	trustAddresses(t, db)
	ctx := within(t, 8*time.Minute)
	killed := &kills{at: map[string][]time.Time{}}
	var all []*story.Done
	for range rounds {
		harassing, calm := context.WithCancel(ctx)
		var killer sync.WaitGroup
		killer.Go(func() { killed.harass(harassing, s) })
		done, err := story.MainJob(ctx, story.Patient(story.At(s.URL)))
		if err == nil {
			err = done.Photo(ctx)
		}
		calm()
		killer.Wait()
		require.NoError(t, err)
		all = append(all, done)
	}
	settle(ctx, t, s, db)

	for _, done := range all {
		require.Equal(t, 1, value[int](t, db, `SELECT count(*) FROM task_task WHERE id = $1 AND title = $2 AND completion_count = 2`, done.Task, done.Title))
		require.Equal(t, 1, value[int](t, db, `SELECT count(*) FROM task_task WHERE residence_id = $1`, done.Residence), "created once")
		require.Equal(t, 1, value[int](t, db, `SELECT count(*) FROM task_taskcompletion WHERE task_id = $1 AND id = $2`, done.Task, done.Completion))
		require.Equal(t, 2, value[int](t, db, `SELECT count(*) FROM upload_media WHERE residence_id = $1 AND state = 'ready'`, done.Residence))
		require.Equal(t, 2, value[int](t, db, `SELECT count(*) FROM residence_member WHERE residence_id = $1`, done.Residence))
	}
	lost, doubled := tally(t, db, killed, all, s.Mailbox().Messages())
	t.Logf("%d rounds, %d kills, %d mails; lost %d, doubled by a kill between the dot and the commit %d",
		rounds, killed.count(), len(s.Mailbox().Messages()), lost, doubled)
	require.Zero(t, lost)
}

// trustAddresses makes the addresses of new accounts count as proved, for stories in which nobody waits for a mail: news goes to no
// other address.
func trustAddresses(t *testing.T, db *pgxpool.Pool) {
	t.Helper()
	_, err := db.Exec(t.Context(), `ALTER TABLE auth_user ALTER COLUMN email_verified_at SET DEFAULT now()`)
	require.NoError(t, err)
}

// settle fires both schedules until nothing is on its way.
func settle(ctx context.Context, t *testing.T, s *local.System, db *pgxpool.Pool) {
	t.Helper()
	require.Eventually(t, func() bool {
		// What a killed function left leased would be due within a minute; the test does not wait for the clock.
		_, err := db.Exec(ctx, `UPDATE outbox_delivery SET next_at = now() WHERE state = 'pending'`)
		require.NoError(t, err)
		_, err = db.Exec(ctx, `UPDATE notification_message SET next_at = now() WHERE state = 'pending'`)
		require.NoError(t, err)
		require.NoError(t, s.Fire(ctx, "outbox"))
		require.NoError(t, s.Fire(ctx, "deliveries"))
		return value[int](t, db, `SELECT (SELECT count(*) FROM outbox_delivery WHERE state = 'pending') +
			(SELECT count(*) FROM notification_message WHERE state IN ('pending', 'sending'))`) == 0
	}, 3*time.Minute, time.Second)
	require.Zero(t, value[int](t, db, `SELECT count(*) FROM outbox_delivery WHERE state = 'dead'`))
}

// tally compares the mails that arrived with those that the story asks for.
func tally(t *testing.T, db *pgxpool.Pool, killed *kills, all []*story.Done, mails []mailbox.Message) (lost, doubled int) {
	t.Helper()
	has := func(to, words string) bool {
		return slices.ContainsFunc(mails, func(m mailbox.Message) bool {
			return slices.Contains(m.To, to) && strings.Contains(strings.ToLower(m.Subject+m.Text), words)
		})
	}
	for _, done := range all {
		for _, want := range []struct{ to, words string }{
			{done.Owner.Email, "confirm your email"}, {done.Member.Email, "confirm your email"}, {done.Owner.Email, "joined"},
			{done.Member.Email, "assigned"}, {done.Owner.Email, "completed"},
		} {
			if !has(want.to, want.words) {
				t.Errorf("no mail about %s in round with task %d", want.words, done.Task)
				lost++
			}
		}
	}
	require.Zero(t, value[int](t, db, `SELECT count(*) FROM notification_message WHERE state <> 'sent'`))
	byID := map[string][]time.Time{}
	for _, m := range mails {
		id := m.Headers["X-Honeydue-Message"]
		byID[id] = append(byID[id], m.At)
	}
	return lost, killed.explain(t, byID, notedAs(t, db))
}
