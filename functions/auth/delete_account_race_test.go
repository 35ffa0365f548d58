package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/cache"
	"github.com/honeydue/backend/shared/code"
	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/function/functiontest"
	"github.com/honeydue/backend/shared/home"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/problem"
)

// atOnce runs all at the same moment.
func atOnce(t *testing.T, all ...func() error) {
	t.Helper()
	errs := make([]error, len(all))
	var begin, ended sync.WaitGroup
	begin.Add(1)
	for i, run := range all {
		ended.Go(func() {
			begin.Wait()
			errs[i] = run()
		})
	}
	begin.Done()
	ended.Wait()
	require.NoError(t, errors.Join(errs...))
}

// calls returns a call for atOnce, whose status must be one of want.
func (b *bundle) calls(method, path, token string, body any, want ...int) func() error {
	return func() error {
		r, err := b.Try(method, "/api/auth/"+path, token, body)
		if err != nil {
			return err
		}
		for _, status := range want {
			if r.Status == status {
				return nil
			}
		}
		return fmt.Errorf("%s %s: %d %s", method, path, r.Status, r.Body)
	}
}

// deletes returns the deletion of p, whose password was proved: proving it takes so long that nothing else would still be under way.
func (b *bundle) deletes(p functiontest.Person) func() error {
	return func() error {
		return b.service.delete(context.Background(), &deletion{person: p.ID, grounds: proved(b.hash)})
	}
}

// does returns a transaction of another function for atOnce.
func (b *bundle) does(fn func(ctx context.Context, tx pgx.Tx) error) func() error {
	return func() error {
		return pgx.BeginFunc(context.Background(), b.Owner, func(tx pgx.Tx) error { return fn(context.Background(), tx) })
	}
}

// joins lets p in as residences does; into a home that is gone nobody comes.
func (b *bundle) joins(home int64, p functiontest.Person) func() error {
	return b.does(func(ctx context.Context, tx pgx.Tx) error {
		var id int64
		err := tx.QueryRow(ctx, `SELECT id FROM residence_residence WHERE id = $1 FOR UPDATE`, home).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err == nil {
			_, err = tx.Exec(ctx, `INSERT INTO residence_member (residence_id, user_id, role) VALUES ($1, $2, 'member')`, id, p.ID)
		}
		return err
	})
}

// leaves takes p out as residences does, unless p owns the home by now.
func (b *bundle) leaves(home int64, p functiontest.Person) func() error {
	return b.does(func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT id FROM residence_residence WHERE id = $1 FOR UPDATE`, home); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM residence_member WHERE residence_id = $1 AND user_id = $2 AND role <> 'owner'`, home, p.ID)
		return err
	})
}

// waits returns once somebody waits for a lock in this database.
func (b *bundle) waits(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		return functiontest.Value[bool](t, b.Server, `
			SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`)
	}, 4*time.Second, 5*time.Millisecond)
}

// holds begins a transaction that has sql done and ends with the test at the latest.
func (b *bundle) holds(t *testing.T, sql string, args ...any) pgx.Tx {
	t.Helper()
	tx := b.Begin(t)
	_, err := tx.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
	return tx
}

// behind deletes p, whose password was proved, while another transaction holds the home, in which meanwhile acts before its commit.
func (b *bundle) behind(t *testing.T, held int64, p functiontest.Person, meanwhile func(ctx context.Context, tx pgx.Tx)) error {
	t.Helper()
	ctx := t.Context()
	tx := b.holds(t, `SELECT id FROM residence_residence WHERE id = $1 FOR UPDATE`, held)
	done := make(chan error, 1)
	go func() { done <- b.deletes(p)() }()
	b.waits(t)
	meanwhile(ctx, tx)
	require.NoError(t, tx.Commit(ctx))
	return <-done
}

// executing returns what runs sql, for behind.
func executing(t *testing.T, sql string, args ...any) func(context.Context, pgx.Tx) {
	t.Helper()
	return func(ctx context.Context, tx pgx.Tx) {
		_, err := tx.Exec(ctx, sql, args...)
		require.NoError(t, err)
	}
}

// Whoever joins between the look at a home and its lock owns it then, and sees no board from before.
func TestJoinBehindTheLook(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann, eve := b.person(t, "ann"), b.person(t, "eve")
	alone := b.Home(t, ann)
	kept := b.KeepBoards(t, eve)
	require.NoError(t, b.behind(t, alone, ann, executing(t, `INSERT INTO residence_member (residence_id, user_id, role) VALUES ($1, $2, 'member')`, alone, eve.ID)))
	require.Equal(t, map[int64]string{eve.ID: "owner"}, b.roles(t, alone))
	require.False(t, kept(eve))
}

// When the only other member leaves at that moment, the home goes.
func TestLeavingBehindTheLook(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann, bob := b.person(t, "ann"), b.person(t, "bob")
	shared := b.Home(t, ann)
	b.Join(t, shared, bob, home.Member)
	require.NoError(t, b.behind(t, shared, ann, executing(t, `DELETE FROM residence_member WHERE residence_id = $1 AND user_id = $2`, shared, bob.ID)))
	require.False(t, b.exists(t, shared))
}

// A home that the person joins behind the look is left like any other.
func TestDeletedPersonJoinsBehindTheLook(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann, bob := b.person(t, "ann"), b.person(t, "bob")
	alone, bobs := b.Home(t, ann), b.Home(t, bob)
	kept := b.KeepBoards(t, bob)
	require.NoError(t, b.behind(t, alone, ann, executing(t, `WITH joined AS (INSERT INTO residence_member (residence_id, user_id, role) VALUES ($1, $2, 'member'))
		INSERT INTO task_task (residence_id, title, created_by_id, assigned_to_id) VALUES ($1, 'Sweep', $2, $2)`, bobs, ann.ID)))
	require.Equal(t, map[int64]string{bob.ID: "owner"}, b.roles(t, bobs))
	require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM task_taskcompletion WHERE kind = 'unassigned'`))
	require.False(t, kept(bob))
}

// Whoever changed the password at that moment keeps the account: what was proved is not so any more.
func TestPasswordChangedBehindTheLook(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann := b.person(t, "ann")
	alone := b.Home(t, ann)
	err := b.behind(t, alone, ann, executing(t, `UPDATE auth_user SET password_hash = 'another' WHERE id = $1`, ann.ID))
	var refused *problem.Problem
	require.ErrorAs(t, err, &refused)
	require.Equal(t, 409, refused.Status)
	require.True(t, b.exists(t, alone))
	b.alive(t, ann.Token, true)
}

// A session that is opened, and used, behind the look ends with the others.
func TestSessionOpenedBehindTheLook(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann := b.person(t, "ann")
	var late string
	require.NoError(t, b.behind(t, b.Home(t, ann), ann, func(context.Context, pgx.Tx) {
		late = b.signInAgain(t, ann.Email)
		b.cached(t, late)
	}))
	b.alive(t, late, false)
}

func TestDeletionAgainstJoiningAndLeaving(t *testing.T) {
	t.Parallel()
	b := setup(t)
	passed := 0
	for range 25 {
		ann, bob, eve := b.person(t, "ann"), b.person(t, "bob"), b.person(t, "eve")
		one, two := b.Home(t, ann), b.Home(t, ann)
		b.Join(t, two, bob, home.Member)
		atOnce(t, b.joins(one, eve), b.deletes(ann), b.leaves(two, bob))
		require.Zero(t, b.orphans(t))
		if b.exists(t, one) {
			require.Equal(t, map[int64]string{eve.ID: "owner"}, b.roles(t, one))
			passed++
		}
		if b.exists(t, two) {
			require.Equal(t, map[int64]string{bob.ID: "owner"}, b.roles(t, two))
		}
	}
	t.Log("homes passed to whoever joined", passed)
}

// Everybody who belongs to a home goes at the same moment, with traces of each other there and in a home that they left.
func TestAllOfAHomeGoAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 12 {
		people := []functiontest.Person{b.person(t, "ann"), b.person(t, "bob"), b.person(t, "mia")}
		zoe := b.person(t, "zoe")
		homes := []int64{b.Home(t, people[2]), b.Home(t, people[1]), b.Home(t, people[0]), b.Home(t, zoe)}
		for i, p := range people {
			for j, h := range homes[:3] {
				if i != 2-j {
					b.Join(t, h, p, home.Member)
				}
			}
		}
		for _, h := range homes {
			for i, p := range people {
				next := people[(i+1)%3]
				task := b.task(t, h, p, nil)
				for range 5 {
					b.Exec(t, `INSERT INTO task_taskcompletion (task_id, kind, completed_by_id, unassigned_id, completed_on, before_in_progress) VALUES ($1, 'unassigned', $2, $3, now(), false), ($1, 'unassigned', $3, $2, now(), false)`, task, p.ID, next.ID)
				}
			}
		}
		atOnce(t, b.deletes(people[0]), b.deletes(people[1]), b.deletes(people[2]))
		for _, h := range homes[:3] {
			require.False(t, b.exists(t, h))
		}
		require.Equal(t, map[int64]string{zoe.ID: "owner"}, b.roles(t, homes[3]))
	}
	require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM task_taskcompletion WHERE completed_by_id IS NOT NULL OR unassigned_id IS NOT NULL`))
}

// A home that the person makes at that moment goes with the others, and one that becomes the primary, of theirs or of another
// owner's, waits in no circle.
func TestDeletionAgainstPrimaries(t *testing.T) {
	t.Parallel()
	b := setup(t)
	turn := `SELECT ` + home.PrimaryTurn("$1::bigint")
	const clearOthers = `UPDATE residence_residence r SET is_primary = false FROM residence_member m
		WHERE m.residence_id = r.id AND m.user_id = $1 AND m.role = 'owner' AND r.is_primary AND r.id <> $2`
	makes := func(owner functiontest.Person) func() error {
		inserts := b.does(func(ctx context.Context, tx pgx.Tx) error {
			var id int64
			err := tx.QueryRow(ctx, `INSERT INTO residence_residence (name, is_primary, created_by_id) VALUES ('New', true, $1) RETURNING id`, owner.ID).Scan(&id)
			for _, step := range []struct {
				sql  string
				args []any
			}{
				{`INSERT INTO residence_member (residence_id, user_id, role) VALUES ($1, $2, 'owner')`, []any{id, owner.ID}},
				{turn, []any{owner.ID}}, {clearOthers, []any{owner.ID, id}},
			} {
				if err == nil {
					_, err = tx.Exec(ctx, step.sql, step.args...)
				}
			}
			return err
		})
		return func() error {
			err := inserts()
			if pg.Violates(err, "residence_residence_created_by_id_fkey") {
				return nil // the account was gone by then
			}
			return err
		}
	}
	prefers := func(owner functiontest.Person, id int64) func() error {
		return b.does(func(ctx context.Context, tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, turn, owner.ID); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `UPDATE residence_residence SET is_primary = true WHERE id = $1`, id); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, clearOthers, owner.ID, id)
			return err
		})
	}
	for range 25 {
		ann, bob := b.person(t, "ann"), b.person(t, "bob")
		first, second, third, fourth := b.Home(t, ann), b.Home(t, bob), b.Home(t, ann), b.Home(t, bob)
		b.Join(t, second, ann, home.Member)
		b.Join(t, fourth, ann, home.Member)
		b.Exec(t, `UPDATE residence_residence SET is_primary = true WHERE id = ANY($1)`, []int64{first, second})
		atOnce(t, b.deletes(ann), makes(ann), makes(bob), prefers(ann, third), prefers(bob, fourth))
		require.Zero(t, b.orphans(t))
		require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM residence_residence WHERE created_by_id = $1`, ann.ID))
		require.Equal(t, 1, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM residence_residence r JOIN residence_member m ON m.residence_id = r.id WHERE r.is_primary AND m.user_id = $1`, bob.ID))
	}
}

// Whatever else the person does with the account at that moment, nothing of it stays and nobody waits in a circle.
func TestDeletionAgainstTheRestOfTheAccount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const newPassword = "nine slow otters"
	for i := range 12 {
		ann := b.person(t, "ann")
		b.Exec(t, `DELETE FROM shared_limit`)
		second := b.signInAgain(t, ann.Email)
		require.Equal(t, 202, b.forgot(t, ann.Email).Status)
		b.Exec(t, `UPDATE auth_user SET email_verified_at = NULL WHERE id = $1`, ann.ID)
		require.Equal(t, 202, b.post(t, "resend-verification/", ann.Token, nil).Status)
		verify := b.calls("POST", "verify-email/", second, object{"code": b.digits(t, ann.ID, code.ForVerifyEmail)}, 200, 400, 401)
		against := []func() error{
			b.calls("POST", "login/", "", object{"email": ann.Email, "password": passphrase}, 200, 401),
			b.calls("PATCH", "me/", second, object{"time_zone": "Asia/Tokyo"}, 200, 401),
			b.calls("POST", "resend-verification/", second, nil, 202, 401),
			b.calls("DELETE", "sessions/2000/", second, nil, 404, 401),
		}
		changesEmail := []int{202, 401}
		// The deletion alone meets what is quick, one over HTTP what takes a password as well. In half of the rounds the password
		// changes, and whoever comes second is told.
		deletes := b.deletes(ann)
		if i%4 == 2 {
			deletes = b.calls("DELETE", "account/", ann.Token, object{"password": passphrase}, 202)
		}
		if i%2 == 1 {
			deletes = b.calls("DELETE", "account/", ann.Token, object{"password": passphrase}, 202, 409, 401, 422)
			against = append(against, b.calls("POST", "reset-password/", "", object{
				"email": ann.Email, "code": b.digits(t, ann.ID, code.ForResetPassword), "new_password": newPassword,
			}, 204, 400))
			changesEmail = append(changesEmail, 422)
		}
		against = append(against, b.calls("POST", "change-email/", second, object{"new_email": "new@example.com", "password": passphrase}, changesEmail...))
		atOnce(t, append(against, deletes, verify)...)
		if functiontest.Value[bool](t, b.Server, `SELECT EXISTS (SELECT FROM auth_user WHERE id = $1)`, ann.ID) {
			require.Equal(t, 1, i%2)
			functiontest.Read[signedIn](t, b.login(t, ann.Email, newPassword), 200)
			b.Exec(t, `DELETE FROM auth_user WHERE id = $1`, ann.ID)
		}
		b.alive(t, ann.Token, false)
		b.alive(t, second, false)
	}
}

// A commit that goes on after its caller gave up: until it is known to be over, nobody keeps a board, and then everything is gone.
func TestDeletionInDoubt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	ann, bob := b.person(t, "ann"), b.person(t, "bob")
	shared, alone := b.Home(t, ann), b.Home(t, ann)
	b.Join(t, shared, bob, home.Member)
	b.Exec(t, `CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN LOOP
		BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; EXCEPTION WHEN query_canceled OR lock_not_available THEN NULL; END;
	END LOOP; END $$`)
	b.Exec(t, `CREATE CONSTRAINT TRIGGER linger AFTER DELETE ON auth_user DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION linger()`)
	lingering := b.holds(t, `SELECT pg_advisory_xact_lock(7)`)
	kept := b.KeepBoards(t, bob)
	second := b.signInAgain(t, ann.Email)
	b.cached(t, ann.Token)
	b.cached(t, second)
	before := b.everything(t)

	functiontest.Refused(t, b.deleteAccount(t, ann.Token, passphrase), 503)
	require.Equal(t, before, b.everything(t))
	_, keep := b.Base.Cache.Board(ctx, cache.View{User: bob.ID, Name: "test"})
	keep(ctx, []byte("read before the commit"))
	require.NoError(t, lingering.Commit(ctx))
	require.Eventually(t, func() bool { return !b.exists(t, alone) }, 10*time.Second, 10*time.Millisecond)
	require.Equal(t, map[int64]string{bob.ID: "owner"}, b.roles(t, shared))
	require.False(t, kept(bob))
	b.alive(t, ann.Token, false)
	b.alive(t, second, false)
}

// The connection is cut at every stage of a deletion, on the way there and on the way back: all of it happened or none, and a second
// try finishes it.
func TestDeletionThatIsCut(t *testing.T) {
	t.Parallel()
	db := devtest.New(t)
	relay := newRelay(t, functiontest.DatabaseAt(t, db))
	b := &bundle{}
	b.Server = functiontest.StartThrough(t, db, relay.address, "auth", b.routes)
	const rounds = 20
	var whole [2]int64 // bytes of an uncut deletion, there and back
	outcomes := map[string]int{}
	for round := range 2*rounds + 1 {
		b.Exec(t, `DELETE FROM shared_limit`)
		ann, bob := b.person(t, "ann"), b.person(t, "bob")
		shared, alone := b.Home(t, ann), b.Home(t, ann)
		b.Join(t, shared, bob, home.Member)
		b.task(t, shared, ann, &ann.ID)
		require.Eventually(t, func() bool { return b.get(t, "me/", ann.Token).Status == 200 }, 10*time.Second, time.Millisecond)
		before := b.everything(t)
		if round > 0 {
			way := round % 2
			relay.cutAfter(way, whole[way]*int64(round/2)/rounds)
		} else {
			relay.cutAfter(there, math.MaxInt64)
		}
		status := b.deleteAccount(t, ann.Token, passphrase).Status
		if round == 0 {
			whole = [2]int64{relay.passed[there].Load(), relay.passed[back].Load()}
		}
		relay.cutAfter(there, math.MaxInt64)
		// What the server was told before the cut it may still be doing.
		require.Eventually(t, func() bool {
			return functiontest.Value[int](t, b.Server, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'honeydue_auth' AND state <> 'idle'`) == 0
		}, 10*time.Second, 5*time.Millisecond)
		outcome := fmt.Sprint(status, " and gone")
		if b.exists(t, alone) {
			outcome = fmt.Sprint(status, " and there")
			require.NotEqual(t, 202, status)
			require.Equal(t, before, b.everything(t))
			require.Eventually(t, func() bool { return b.deleteAccount(t, ann.Token, passphrase).Status == 202 }, 10*time.Second, time.Millisecond)
		}
		outcomes[outcome]++
		require.Equal(t, map[int64]string{bob.ID: "owner"}, b.roles(t, shared))
		require.Zero(t, functiontest.Value[int](t, b.Server, `SELECT count(*) FROM auth_user WHERE id = $1`, ann.ID))
		require.Eventually(t, func() bool { return b.get(t, "me/", ann.Token).Status == 401 }, 10*time.Second, time.Millisecond)
	}
	t.Log(outcomes)
	require.NotZero(t, outcomes["503 and there"])
	require.NotZero(t, outcomes["503 and gone"], "no cut fell between the commit and its answer")
}
