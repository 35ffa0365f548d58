package home_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/cache"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/idempotency"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }

type bundle struct {
	*functiontest.Server
	owner, other functiontest.Person
	home         int64
}

func setup(t *testing.T) bundle {
	t.Helper()
	s := functiontest.Start(t, "tasks", func(*function.Base) func(huma.API) { return func(huma.API) {} })
	owner := s.Person(t, "olive")
	return bundle{s, owner, s.Person(t, "max"), s.Home(t, owner)}
}

// change adds a task as person and returns the members whose boards were marked for it.
func (b bundle) change(ctx context.Context, person functiontest.Person) (members []int64, err error) {
	look := func(ctx context.Context) (home.Access, error) { return home.Of(ctx, b.Base.DB, person.ID, b.home) }
	err = b.Base.Homes.Change(ctx, &idempotency.Guard{}, look, func(tx *pg.Tx, access home.Access) error {
		members = access.Members
		tx.Queue(`INSERT INTO task_task (residence_id, title) VALUES ($1, 'x')`, access.ResidenceID)
		return nil
	})
	return members, err
}

// locked begins a transaction that holds the home as joining and leaving do.
func (b bundle) locked(t *testing.T) pgx.Tx {
	t.Helper()
	tx := b.Begin(t)
	_, err := tx.Exec(t.Context(), `SELECT id FROM residence_residence WHERE id = $1 FOR UPDATE`, b.home)
	require.NoError(t, err)
	return tx
}

type outcome struct {
	members []int64
	err     error
}

// changeBehind starts a change that waits for the home's lock.
func (b bundle) changeBehind(t *testing.T, person functiontest.Person) <-chan outcome {
	t.Helper()
	done := make(chan outcome, 1)
	go func() {
		members, err := b.change(context.WithoutCancel(t.Context()), person)
		done <- outcome{members, err}
	}()
	require.Eventually(t, func() bool {
		return functiontest.Value[bool](t, b.Server, `
			SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`)
	}, 4*time.Second, 5*time.Millisecond)
	return done
}

func TestWhoJoinsMeanwhileIsMarkedToo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tx := b.locked(t)
	done := b.changeBehind(t, b.owner)
	_, err := tx.Exec(t.Context(), `INSERT INTO residence_member (residence_id, user_id, role) VALUES ($1, $2, 'viewer')`, b.home, b.other.ID)
	require.NoError(t, err)
	require.NoError(t, tx.Commit(t.Context()))
	got := <-done
	require.NoError(t, got.err)
	require.ElementsMatch(t, []int64{b.owner.ID, b.other.ID}, got.members)
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM task_task`))
}

func TestWhoIsRemovedMeanwhileChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Join(t, b.home, b.other, home.Member)
	tx := b.locked(t)
	done := b.changeBehind(t, b.other)
	_, err := tx.Exec(t.Context(), `DELETE FROM residence_member WHERE user_id = $1`, b.other.ID)
	require.NoError(t, err)
	require.NoError(t, tx.Commit(t.Context()))
	var refused *problem.Problem
	require.ErrorAs(t, (<-done).err, &refused)
	require.Equal(t, 404, refused.Status)
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM task_task`))
}

func TestHomeThatIsDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tx := b.locked(t)
	done := b.changeBehind(t, b.owner)
	_, err := tx.Exec(t.Context(), `DELETE FROM residence_residence WHERE id = $1`, b.home)
	require.NoError(t, err)
	require.NoError(t, tx.Commit(t.Context()))
	var refused *problem.Problem
	require.ErrorAs(t, (<-done).err, &refused)
	require.Equal(t, 404, refused.Status)
}

func TestRoles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := home.Of(t.Context(), b.Base.DB, b.other.ID, b.home)
	var refused *problem.Problem
	require.ErrorAs(t, err, &refused)
	require.Equal(t, 404, refused.Status)
	for role, may := range map[home.Role][2]bool{home.Owner: {true, true}, home.Member: {true, false}, home.Viewer: {false, false}} {
		access := home.Access{Role: role}
		require.Equal(t, may[0], access.MayWork() == nil, role)
		require.Equal(t, may[1], access.MayAdminister() == nil, role)
	}
}

// A commit that goes on after its caller gave up: a reader between the two must not keep what it read.
func TestACommitInDoubtLeavesNoStaleBoard(t *testing.T) {
	t.Parallel()
	b := setup(t)
	// The commit lasts until the test lets go of the gate, whoever cancels it.
	b.Exec(t, `CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			LOOP
				BEGIN
					PERFORM pg_advisory_xact_lock(1);
					RETURN NULL;
				EXCEPTION WHEN query_canceled OR lock_not_available THEN NULL;
				END;
			END LOOP;
		END $$`)
	b.Exec(t, `CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON task_task DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION linger()`)
	b.Base.Cache.Born(t.Context(), b.owner.ID)
	_, err := home.Of(t.Context(), b.Base.DB, b.owner.ID, b.home) // the connection is there
	require.NoError(t, err)
	tasks := func() int { return functiontest.Value[int](t, b.Server, `SELECT count(*) FROM task_task`) }
	board := cache.View{User: b.owner.ID, Name: "all"}

	gate := b.Begin(t)
	_, err = gate.Exec(t.Context(), `SELECT pg_advisory_xact_lock(1)`)
	require.NoError(t, err)
	impatient, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := b.change(impatient, b.owner)
		ended <- err
	}()
	require.Eventually(t, func() bool {
		return functiontest.Value[bool](t, b.Server, `SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
			WHERE d.datname = current_database() AND locktype = 'advisory' AND NOT granted)`)
	}, 10*time.Second, 10*time.Millisecond)
	cancel()
	err = <-ended
	require.True(t, pg.InDoubt(err), "%v", err)
	require.True(t, pg.Unavailable(err))
	_, keep := b.Base.Cache.Board(t.Context(), board)
	require.Zero(t, tasks())
	keep(t.Context(), []byte("nothing to do"))
	require.NoError(t, gate.Rollback(t.Context()))
	require.Eventually(t, func() bool { return tasks() == 1 }, 10*time.Second, 10*time.Millisecond)
	found, _ := b.Base.Cache.Board(t.Context(), board)
	require.Nil(t, found)

	b.Exec(t, `DROP TRIGGER linger ON task_task`)
	_, err = b.change(t.Context(), b.owner)
	require.NoError(t, err)
	require.False(t, pg.InDoubt(pg.ErrSchemaOld))
}
