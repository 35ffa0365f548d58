package main

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function/functiontest"
)

func TestARedeliveryDoesNothing(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	b := setup(t, devtest.NewBucket(t), func(*bundle, http.ResponseWriter, *http.Request) bool { asked.Add(1); return false })
	s := b.attach(t, "image/jpeg", phoneJPEG(t))
	require.Equal(t, http.StatusNoContent, b.deliver(t, s.event))
	require.EqualValues(t, 3, asked.Load())
	require.Equal(t, http.StatusNoContent, b.deliver(t, s.event))
	// Nor does another event of the same photo.
	again := b.tell(t, s.id)
	require.Equal(t, http.StatusNoContent, b.deliver(t, again))
	require.Equal(t, "done 1", b.delivery(t, again))
	require.EqualValues(t, 3, asked.Load())
	require.Equal(t, "ready with thumbnail", b.row(t, s))
}

func TestDeliveriesAtTheSameMoment(t *testing.T) {
	t.Parallel()
	b := setup(t, devtest.NewBucket(t))
	processes := []string{b.url, b.url, b.start(t), b.start(t)}
	for range 5 {
		s := b.attach(t, "image/jpeg", phoneJPEG(t))
		statuses := make([]int, len(processes))
		var group sync.WaitGroup
		for i, url := range processes {
			group.Go(func() { statuses[i], _ = post(url, s.event) })
		}
		group.Wait()
		for _, status := range statuses {
			require.Equal(t, http.StatusNoContent, status)
		}
		require.Equal(t, "ready with thumbnail", b.row(t, s))
		require.Regexp(t, "^done", b.delivery(t, s.event))
		require.Equal(t, []string{partClean, partOriginal, partThumb}, b.objects(t, s))
		require.Equal(t, []string{partOriginal}, b.buried(t, s))
	}
}

func TestAnEventThatNobodyToldDoesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, devtest.NewBucket(t))
	s := b.attach(t, "image/jpeg", phoneJPEG(t))
	require.Equal(t, http.StatusNoContent, b.deliver(t, uuid.New()))
	require.Equal(t, "cleaning", b.row(t, s))
	require.Equal(t, "pending 0", b.delivery(t, s.event))
	// One of an upload that nobody attached.
	unknown := b.tell(t, 4711)
	require.Equal(t, http.StatusNoContent, b.deliver(t, unknown))
	require.Equal(t, "done 1", b.delivery(t, unknown))
	// One that says something else.
	b.Exec(t, `UPDATE outbox_event SET type = 'com.myhoneydue.task.exploded.v1' WHERE id = $1`, s.event)
	require.Equal(t, http.StatusNoContent, b.deliver(t, s.event))
	require.Regexp(t, "^dead 1 event is a", b.delivery(t, s.event))
}

// An outage of whatever length costs no photo, and no attempt.
func TestBucketDownThenBack(t *testing.T) {
	t.Parallel()
	server := devtest.StartS3(t)
	b := setup(t, devtest.NewBucketOn(t, server))
	s := b.attach(t, "image/jpeg", phoneJPEG(t))
	require.NoError(t, server.Stop(t.Context()))
	for range 20 {
		require.Equal(t, http.StatusServiceUnavailable, b.deliver(t, s.event))
		require.Equal(t, "cleaning", b.row(t, s))
		require.Equal(t, "pending 0", b.delivery(t, s.event))
	}
	require.NoError(t, server.Start(t.Context()))
	server.Pause()
	require.Equal(t, http.StatusServiceUnavailable, b.deliver(t, s.event))
	require.Equal(t, "pending 0", b.delivery(t, s.event))
	server.Resume()
	require.Equal(t, http.StatusNoContent, b.deliver(t, s.event))
	require.Equal(t, "ready with thumbnail", b.row(t, s))
}

// Nor does a bucket that lets nobody in, or that is lost when half is done.
func TestBucketRefuses(t *testing.T) {
	t.Parallel()
	for _, refused := range []string{"GET " + partOriginal, "PUT " + partClean, "PUT " + partThumb} {
		t.Run(refused, func(t *testing.T) {
			t.Parallel()
			var open atomic.Bool
			b := setup(t, devtest.NewBucket(t), func(_ *bundle, w http.ResponseWriter, r *http.Request) bool {
				method, part, _ := strings.Cut(refused, " ")
				if open.Load() || r.Method != method || !strings.HasSuffix(r.URL.Path, part) {
					return false
				}
				w.WriteHeader(http.StatusForbidden)
				return true
			})
			s := b.attach(t, "image/jpeg", phoneJPEG(t))
			for range maxTries + 1 {
				require.Equal(t, http.StatusServiceUnavailable, b.deliver(t, s.event))
			}
			require.Equal(t, "cleaning", b.row(t, s))
			require.Equal(t, "pending 0", b.delivery(t, s.event))
			open.Store(true)
			require.Equal(t, http.StatusNoContent, b.deliver(t, s.event))
			require.Equal(t, "ready with thumbnail", b.row(t, s))
		})
	}
}

func TestAPhotoThatTakesItsProcessAlong(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	b := setup(t, devtest.NewBucket(t), func(*bundle, http.ResponseWriter, *http.Request) bool { asked.Add(1); return false })
	s := b.attach(t, "image/jpeg", phoneJPEG(t))
	b.Exec(t, `UPDATE outbox_delivery SET attempts = $2 WHERE event_id = $1`, s.event, maxTries)
	require.Equal(t, http.StatusNoContent, b.deliver(t, s.event))
	require.Zero(t, asked.Load(), "nobody looks at it again")
	require.Equal(t, "failed unprocessable", b.row(t, s))
	require.Equal(t, "done 6", b.delivery(t, s.event))
	require.Equal(t, []string{partClean, partOriginal, partThumb}, b.buried(t, s))
}

// A bucket that is another one has no original either: the photo waits for a while, and then can still be cleaned for a week.
func TestAnOriginalThatIsMissing(t *testing.T) {
	t.Parallel()
	b := setup(t, devtest.NewBucket(t))
	found := b.attach(t, "image/jpeg", nil)
	require.Equal(t, http.StatusServiceUnavailable, b.deliver(t, found.event))
	require.Equal(t, "pending 1", b.delivery(t, found.event))
	b.put(t, found, "image/jpeg", phoneJPEG(t))
	require.Equal(t, http.StatusNoContent, b.deliver(t, found.event))
	require.Equal(t, "ready with thumbnail", b.row(t, found))

	lost := b.attach(t, "image/jpeg", nil)
	for try := range maxTries - 1 {
		require.Equal(t, http.StatusServiceUnavailable, b.deliver(t, lost.event))
		require.Equal(t, "cleaning", b.row(t, lost))
		require.Equal(t, "pending "+strconv.Itoa(try+1), b.delivery(t, lost.event))
	}
	for range 2 {
		require.Equal(t, http.StatusNoContent, b.deliver(t, lost.event))
		require.Equal(t, "failed missing", b.row(t, lost))
		require.Equal(t, "done 5", b.delivery(t, lost.event))
	}
	require.Equal(t, []string{partClean, partOriginal, partThumb}, b.buried(t, lost))
	require.InDelta(t, 7*24, functiontest.Value[float64](t, b.Server, `
		SELECT extract(epoch FROM due_at - now())::float8 / 3600 FROM upload_tombstone WHERE object_key = $1`, lost.key+partOriginal), 1)

	b.put(t, lost, "image/jpeg", phoneJPEG(t))
	b.Exec(t, `UPDATE upload_media SET state = 'cleaning', reason = NULL WHERE id = $1`, lost.id)
	b.Exec(t, `UPDATE outbox_delivery SET state = 'pending', attempts = 0 WHERE event_id = $1`, lost.event)
	require.Equal(t, http.StatusNoContent, b.deliver(t, lost.event))
	require.Equal(t, "ready with thumbnail", b.row(t, lost))
	require.Equal(t, []string{partOriginal}, b.buried(t, lost))
}

func TestAHomeThatIsDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	b := setup(t, devtest.NewBucket(t), func(b *bundle, _ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, partThumb) {
			_, _ = b.Owner.Exec(r.Context(), `DELETE FROM residence_residence`)
		}
		return false
	})
	s := b.attach(t, "image/jpeg", phoneJPEG(t))
	require.Equal(t, http.StatusNoContent, b.deliver(t, s.event))
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM upload_media`))
	require.Equal(t, "done 1", b.delivery(t, s.event))
	require.Equal(t, []string{partOriginal}, b.objects(t, s), "the sweeper's, by its tombstone")
	require.Equal(t, []string{partClean, partOriginal, partThumb}, b.buried(t, s))
}

// One that became ready by another event, while this one was at work, keeps what is served of it.
func TestAPhotoThatIsReadyMeanwhile(t *testing.T) {
	t.Parallel()
	b := setup(t, devtest.NewBucket(t), func(b *bundle, _ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, partThumb) {
			_, _ = b.Owner.Exec(r.Context(), `UPDATE upload_media SET state = 'ready', has_thumbnail = true`)
		}
		return false
	})
	s := b.attach(t, "image/jpeg", phoneJPEG(t))
	require.Equal(t, http.StatusNoContent, b.deliver(t, s.event))
	require.Equal(t, "ready with thumbnail", b.row(t, s))
	require.Equal(t, []string{partClean, partOriginal, partThumb}, b.objects(t, s))
}

// The effect and its confirmation are one: while the first cannot be made, the second is not there either.
func TestTheEffectConfirms(t *testing.T) {
	t.Parallel()
	b := setup(t, devtest.NewBucket(t))
	s := b.attach(t, "image/jpeg", phoneJPEG(t))
	b.Exec(t, `REVOKE UPDATE (state) ON upload_media FROM honeydue_media`)
	require.Equal(t, http.StatusServiceUnavailable, b.deliver(t, s.event))
	require.Equal(t, "cleaning", b.row(t, s))
	require.Equal(t, "pending 1", b.delivery(t, s.event))
	b.Exec(t, `GRANT UPDATE (state) ON upload_media TO honeydue_media`)
	require.Equal(t, http.StatusNoContent, b.deliver(t, s.event))
	require.Equal(t, "done 2", b.delivery(t, s.event))
}

// No transaction is open while the bucket takes its time.
func TestWorkHoldsNoTransaction(t *testing.T) {
	t.Parallel()
	var open atomic.Int64
	b := setup(t, devtest.NewBucket(t), func(b *bundle, _ http.ResponseWriter, r *http.Request) bool {
		var count int64
		err := b.Owner.QueryRow(r.Context(), `
			SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND usename = 'honeydue_media' AND xact_start IS NOT NULL`).Scan(&count)
		if err != nil {
			count = 1
		}
		open.Add(count)
		return false
	})
	s := b.attach(t, "image/jpeg", phoneJPEG(t))
	require.Equal(t, http.StatusNoContent, b.deliver(t, s.event))
	require.Zero(t, open.Load())
}

func TestTheRoleMayDoNoMore(t *testing.T) {
	t.Parallel()
	b := setup(t, devtest.NewBucket(t))
	conn, err := pgx.Connect(t.Context(), b.DB.DirectURL("honeydue_media"))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) }()
	for _, sql := range []string{
		`SELECT id FROM auth_user`, `SELECT id FROM residence_residence`, `SELECT id FROM task_task`, `SELECT id FROM pending_uploads`,
		`SELECT id FROM upload_document`, `SELECT object_key FROM upload_tombstone`,
		`UPDATE upload_media SET object_key = 'x'`, `UPDATE upload_media SET residence_id = 1`, `UPDATE upload_media SET content_type = 'x'`,
		`INSERT INTO upload_media (id, residence_id, content_type, object_key, state) VALUES (1, 1, 'x', 'x', 'ready')`,
		`DELETE FROM upload_media`, `INSERT INTO upload_tombstone (object_key) VALUES ('x')`, `DELETE FROM upload_tombstone`,
		`UPDATE outbox_event SET data = '{}'`, `DELETE FROM outbox_event`, `UPDATE outbox_delivery SET next_at = now()`,
		`INSERT INTO outbox_delivery (event_id, consumer, next_at) SELECT id, 'notifications', now() FROM outbox_event`,
	} {
		_, err := conn.Exec(t.Context(), sql)
		require.ErrorContains(t, err, "permission denied", sql)
	}
}
