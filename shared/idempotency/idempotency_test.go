package idempotency_test

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/idempotency"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }

// A bundle is a database with a home and two people; what is guarded is the making of a task there.
type bundle struct {
	db       *pg.DB
	owner    *pgxpool.Pool
	ann, bob int64
	home     int64
}

func setup(t *testing.T) bundle {
	t.Helper()
	own := devtest.New(t)
	var mode pg.ExecMode
	require.NoError(t, mode.Decode(own.ExecMode()))
	db, err := pg.Open(t.Context(), pg.Config{URL: own.URL("honeydue_tasks"), ExecMode: mode, PoolSize: 8})
	require.NoError(t, err)
	owner, err := pgxpool.New(t.Context(), own.OwnerURL())
	require.NoError(t, err)
	t.Cleanup(func() {
		db.Close()
		owner.Close()
	})
	b := bundle{db: db, owner: owner}
	b.ann = value[int64](t, b, `INSERT INTO auth_user (email) VALUES ('ann@example.com') RETURNING id`)
	b.bob = value[int64](t, b, `INSERT INTO auth_user (email) VALUES ('bob@example.com') RETURNING id`)
	b.home = value[int64](t, b, `INSERT INTO residence_residence (name) VALUES ('Home') RETURNING id`)
	return b
}

// value reads one value as the schema's owner.
func value[T any](t *testing.T, b bundle, sql string, args ...any) T {
	t.Helper()
	var v T
	require.NoError(t, b.owner.QueryRow(t.Context(), sql, args...).Scan(&v))
	return v
}

func (b bundle) tasks(t *testing.T) int { return value[int](t, b, `SELECT count(*) FROM task_task`) }
func (b bundle) keys(t *testing.T) int {
	return value[int](t, b, `SELECT count(*) FROM shared_idempotency`)
}

type note struct {
	Title string `json:"title"`
}

type made struct {
	ID    int64  `json:"id"`
	Title string `json:"title"`
}

const insertNote = `INSERT INTO task_task (residence_id, title) VALUES ($1, $2) RETURNING id, title`

const path = "/api/notes/"

// A request is one that makes a note. meanwhile runs in its transaction, behind the making and before the commit.
type request struct {
	person    int64
	path, key string
	note      note
	meanwhile func(tx *pg.Tx) error
}

func (b bundle) send(ctx context.Context, r request) (*idempotency.Answer[made], error) {
	guard, err := idempotency.New(r.person, r.path, idempotency.Header{Key: r.key}, r.note)
	if err != nil {
		return nil, err
	}
	var answer made
	err = pg.InTx(ctx, b.db, func(tx *pg.Tx) error {
		if err := guard.Begin(ctx, tx); err != nil || guard.Replayed() {
			return err
		}
		var err error
		if answer, err = pg.One[made](ctx, tx, insertNote, b.home, r.note.Title); err != nil {
			return err
		}
		if err := guard.Keep(tx, http.StatusCreated, answer); err != nil {
			return err
		}
		if r.meanwhile != nil {
			return r.meanwhile(tx)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return idempotency.Reply(guard, answer)
}

// fresh checks that a request was carried out.
func (b bundle) fresh(t *testing.T, r request) made {
	t.Helper()
	answer, err := b.send(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, answer.Status)
	require.Empty(t, answer.Replay)
	return answer.Body
}

// replayed checks that a request got the answer of an earlier one.
func (b bundle) replayed(t *testing.T, r request) made {
	t.Helper()
	answer, err := b.send(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, answer.Status)
	require.Equal(t, "true", answer.Replay)
	return answer.Body
}

func (b bundle) refused(t *testing.T, r request, status int) {
	t.Helper()
	_, err := b.send(t.Context(), r)
	var refused *problem.Problem
	require.ErrorAs(t, err, &refused)
	require.Equal(t, status, refused.Status)
}

func TestTheSameRequestAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := request{person: b.ann, path: path, key: "k1", note: note{"gutters"}}
	first := b.fresh(t, r)
	for range 3 {
		require.Equal(t, first, b.replayed(t, r))
	}
	require.Equal(t, 1, b.tasks(t))
	require.Equal(t, 1, b.keys(t))

	r.note.Title = "roof"
	b.refused(t, r, http.StatusUnprocessableEntity)
	require.Equal(t, 1, b.tasks(t))
}

func TestWithoutAKeyNothingIsGuarded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := request{person: b.ann, path: path, note: note{"gutters"}}
	first := b.fresh(t, r)
	require.NotEqual(t, first, b.fresh(t, r))
	require.Zero(t, b.keys(t))
}

func TestAKeyBelongsToAPersonAndAPath(t *testing.T) {
	t.Parallel()
	b := setup(t)
	seen := map[int64]bool{}
	for _, r := range []request{
		{person: b.ann, path: path, key: "k1"},
		{person: b.bob, path: path, key: "k1"},
		{person: b.ann, path: "/api/notes/7/copies/", key: "k1"},
		{person: b.ann, path: path, key: "k2"},
	} {
		seen[b.fresh(t, r).ID] = true
	}
	require.Len(t, seen, 4)
	require.Equal(t, 4, b.keys(t))
}

func TestAKeyIsNotKeptInClear(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const key = "8e0a-in-clear"
	b.fresh(t, request{person: b.ann, path: path, key: key, note: note{"gutters"}})
	row := value[string](t, b, `SELECT s::text FROM shared_idempotency s`)
	require.NotContains(t, row, key)
	require.NotContains(t, row, hex.EncodeToString([]byte(key)))
}

func TestAKeyLivesForADay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	age := func(of string) {
		require.NotZero(t, value[int](t, b, `
			WITH aged AS (UPDATE shared_idempotency SET created_at = now() - $1::interval RETURNING 1) SELECT count(*) FROM aged`, of))
	}
	r := request{person: b.ann, path: path, key: "k1", note: note{"gutters"}}
	first := b.fresh(t, r)
	age("23 hours 59 minutes")
	require.Equal(t, first, b.replayed(t, r))
	age("24 hours 1 second")
	r.note.Title = "roof" // what the key came with then is forgotten
	second := b.fresh(t, r)
	require.NotEqual(t, first.ID, second.ID)
	require.Equal(t, second, b.replayed(t, r))
	require.Equal(t, 2, b.tasks(t))
	require.Equal(t, 1, b.keys(t))
}

func TestWhileTheFirstStillRuns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := request{person: b.ann, path: path, key: "k1", note: note{"gutters"}}
	running, goOn := make(chan struct{}), make(chan struct{})
	type outcome struct {
		answer *idempotency.Answer[made]
		err    error
	}
	first := make(chan outcome, 1)
	slow := r
	slow.meanwhile = func(*pg.Tx) error {
		close(running)
		<-goOn
		return nil
	}
	go func() {
		answer, err := b.send(context.WithoutCancel(t.Context()), slow)
		first <- outcome{answer, err}
	}()
	<-running
	b.refused(t, r, http.StatusConflict)
	other := r
	other.note.Title = "roof"
	b.refused(t, other, http.StatusConflict)
	b.fresh(t, request{person: b.bob, path: path, key: "k1"})
	close(goOn)
	done := <-first
	require.NoError(t, done.err)
	require.Equal(t, done.answer.Body, b.replayed(t, r))
	require.Equal(t, 2, b.tasks(t))
}

func TestAtTheSameMoment(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := request{person: b.ann, path: path, key: "k1", note: note{"gutters"}}
	const requests = 40
	fresh := make(chan made, requests)
	errs := make(chan error, requests)
	var group sync.WaitGroup
	for range requests {
		group.Go(func() {
			answer, err := b.send(t.Context(), r)
			var refused *problem.Problem
			switch {
			case err == nil && answer.Replay == "":
				fresh <- answer.Body
			case errors.As(err, &refused) && refused.Status == http.StatusConflict:
			case err != nil:
				errs <- err
			}
		})
	}
	group.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	require.Len(t, fresh, 1)
	require.Equal(t, <-fresh, b.replayed(t, r))
	require.Equal(t, 1, b.tasks(t))
}

func TestWhatIsRolledBackLeavesNoKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := request{person: b.ann, path: path, key: "k1", note: note{"gutters"}}
	boom := errors.New("boom")
	failing := r
	failing.meanwhile = func(*pg.Tx) error { return boom }
	_, err := b.send(t.Context(), failing)
	require.ErrorIs(t, err, boom)
	require.Zero(t, b.keys(t))
	require.Zero(t, b.tasks(t))

	// The key's row is written with the commit: what fails there takes both along.
	failing.meanwhile = func(tx *pg.Tx) error {
		tx.Queue(`SELECT 1 / 0`)
		return nil
	}
	_, err = b.send(t.Context(), failing)
	require.ErrorContains(t, err, "division by zero")
	require.Zero(t, b.keys(t))
	require.Zero(t, b.tasks(t))

	b.fresh(t, r)
	require.Equal(t, 1, b.tasks(t))
}

func TestACrashBeforeTheCommitLeavesNoKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := request{person: b.ann, path: path, key: "k1", note: note{"gutters"}}
	killed := r
	killed.meanwhile = func(tx *pg.Tx) error {
		pid, err := pg.Value[int32](t.Context(), tx, `SELECT pg_backend_pid()`)
		if err != nil {
			return err
		}
		var gone bool
		err = b.owner.QueryRow(t.Context(), `SELECT pg_terminate_backend($1, 5000)`, pid).Scan(&gone)
		if err == nil && !gone {
			err = errors.New("the connection is still there")
		}
		return err
	}
	_, err := b.send(t.Context(), killed)
	require.True(t, pg.Unavailable(err), "%v", err)
	require.Zero(t, b.keys(t))
	require.Zero(t, b.tasks(t))

	first := b.fresh(t, r)
	require.Equal(t, first, b.replayed(t, r))
	require.Equal(t, 1, b.tasks(t))
}
