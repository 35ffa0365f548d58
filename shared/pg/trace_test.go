package pg_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver/devtest"
	"github.com/honeydue/backend/shared/pg"
	"github.com/honeydue/backend/shared/timing"
)

var toldOfDB = regexp.MustCompile(`^db;dur=([\d.]+), `)

// inRequest runs ask as a request, and returns the milliseconds of the database that its answer tells and those of the whole.
func inRequest(t *testing.T, ask func(ctx context.Context)) (db, whole float64) {
	t.Helper()
	recorder := httptest.NewRecorder()
	timing.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		began := time.Now()
		ask(r.Context())
		whole = float64(time.Since(began).Microseconds()) / 1e3
	}), "").ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	told := toldOfDB.FindStringSubmatch(recorder.Header().Get("Server-Timing"))
	require.NotNil(t, told)
	db, err := strconv.ParseFloat(told[1], 64)
	require.NoError(t, err)
	require.LessOrEqual(t, db, whole+0.1, "nothing counts twice")
	return db, whole
}

const sleep = `SELECT pg_sleep(0.05)::text`

func TestTimeOfTheDatabaseIsTold(t *testing.T) {
	t.Parallel()
	own := devtest.New(t)
	_, err := open(t, own.DirectURL("postgres"), "exec").Exec(t.Context(), dawdle, pgx.QueryExecModeSimpleProtocol)
	require.NoError(t, err)
	for _, mode := range []string{"exec", "cache_statement"} {
		db := open(t, own.DirectURL("postgres"), mode)
		inTx := func(do func(ctx context.Context, tx *pg.Tx) error) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				return pg.InTx(ctx, db, func(tx *pg.Tx) error { return do(ctx, tx) })
			}
		}
		one := func(ctx context.Context, q pg.Querier) error {
			_, err := pg.Value[string](ctx, q, sleep)
			return err
		}
		exec := func(ctx context.Context, tx *pg.Tx) error {
			_, err := tx.Exec(ctx, sleep)
			return err
		}
		for name, ask := range map[string]func(ctx context.Context) error{
			"query": func(ctx context.Context) error { return one(ctx, db) },
			"exec": func(ctx context.Context) error {
				_, err := db.Exec(ctx, sleep)
				return err
			},
			"batch": func(ctx context.Context) error {
				batch := &pgx.Batch{}
				batch.Queue(`SELECT 1`)
				batch.Queue(sleep)
				return db.SendBatch(ctx, batch)
			},
			"with BEGIN":       inTx(func(ctx context.Context, tx *pg.Tx) error { return one(ctx, tx) }),
			"exec with BEGIN":  inTx(exec),
			"in a transaction": inTx(func(ctx context.Context, tx *pg.Tx) error { tx.Queue(`SELECT 1`); return exec(ctx, tx) }),
			"with COMMIT":      inTx(func(_ context.Context, tx *pg.Tx) error { tx.Queue(sleep); return nil }),
			"at COMMIT": inTx(func(ctx context.Context, tx *pg.Tx) error {
				_, err := tx.Exec(ctx, `INSERT INTO slow VALUES (1)`)
				return err
			}),
			"pgx's transaction": func(ctx context.Context) error {
				return db.Transact(ctx, func(tx pgx.Tx) error {
					_, err := tx.Exec(ctx, sleep)
					return err
				})
			},
		} {
			told, _ := inRequest(t, func(ctx context.Context) { require.NoError(t, ask(ctx), name) })
			require.GreaterOrEqual(t, told, 50.0, "%s, %s", mode, name)
		}
		told, _ := inRequest(t, func(context.Context) { require.NoError(t, one(t.Context(), db)) })
		require.Zero(t, told, "what is asked outside of the request")
	}
}

// dawdle makes the COMMIT of whoever writes to the table slow wait.
const dawdle = `
CREATE TABLE slow (n int);
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER dawdling AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle()`

func TestWaitingForAConnectionIsTold(t *testing.T) {
	t.Parallel()
	db := setup(t)
	numbers(t, db)
	var held, holders sync.WaitGroup
	leave := make(chan struct{})
	for range 2 { // all of the pool
		held.Add(1)
		holders.Go(func() {
			_ = pg.InTx(t.Context(), db, func(*pg.Tx) error {
				held.Done()
				<-leave
				return nil
			})
		})
	}
	held.Wait()
	told, _ := inRequest(t, func(ctx context.Context) {
		time.AfterFunc(50*time.Millisecond, func() { close(leave) })
		_, err := db.Exec(ctx, `SELECT 1`)
		require.NoError(t, err)
	})
	require.GreaterOrEqual(t, told, 50.0)
	holders.Wait()
}

func TestConnectingIsTold(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			time.AfterFunc(50*time.Millisecond, func() { _ = conn.Close() })
		}
	}()
	db := open(t, "postgres://nobody@"+listener.Addr().String()+"/nothing?sslmode=disable", "exec")
	told, _ := inRequest(t, func(ctx context.Context) {
		_, err := db.Exec(ctx, `SELECT 1`)
		require.True(t, pg.Unavailable(err), "%v", err)
	})
	require.GreaterOrEqual(t, told, 50.0)
}

func TestQuestionsSideBySideCountOnce(t *testing.T) {
	t.Parallel()
	db := setup(t)
	numbers(t, db)
	told, _ := inRequest(t, func(ctx context.Context) {
		var group sync.WaitGroup
		for range 4 { // two of them wait for a connection
			group.Go(func() { _, _ = db.Exec(ctx, sleep) })
		}
		group.Wait()
	})
	require.GreaterOrEqual(t, told, 100.0)
}

// TestFailuresEndTheirTime: what comes after a statement that failed, or was never sent, is not the database's.
func TestFailuresEndTheirTime(t *testing.T) {
	t.Parallel()
	own := devtest.New(t)
	for _, mode := range []string{"exec", "cache_statement"} {
		db := open(t, own.DirectURL("postgres"), mode)
		numbers(t, db)
		for name, fail := range map[string]func(ctx context.Context) error{
			"refused": func(ctx context.Context) error { _, err := db.Exec(ctx, `SELECT 1 / 0`); return err },
			"rows":    func(ctx context.Context) error { _, err := pg.Value[int](ctx, db, `SELECT 1 / 0`); return err },
			"not sent": func(ctx context.Context) error {
				_, err := pg.Value[int](ctx, db, `SELECT $1::int`, make(chan int))
				return err
			},
			"no syntax": func(ctx context.Context) error { _, err := pg.Value[int](ctx, db, `SELEC`); return err },
			"batch": func(ctx context.Context) error {
				batch := &pgx.Batch{}
				batch.Queue(`SELECT $1::int`, make(chan int))
				return db.SendBatch(ctx, batch)
			},
			"transaction": func(ctx context.Context) error {
				return pg.InTx(ctx, db, func(tx *pg.Tx) error { _, err := tx.Exec(ctx, `SELECT 1 / 0`); return err })
			},
			"first of a transaction": func(ctx context.Context) error {
				return pg.InTx(ctx, db, func(tx *pg.Tx) error { _, err := tx.Exec(ctx, `SELECT $1::int`, make(chan int)); return err })
			},
			"commit": func(ctx context.Context) error {
				return pg.InTx(ctx, db, func(tx *pg.Tx) error { tx.Queue(`SELECT 1 / 0`); return nil })
			},
		} {
			told, whole := inRequest(t, func(ctx context.Context) {
				require.Error(t, fail(ctx), name)
				<-time.After(50 * time.Millisecond)
			})
			require.LessOrEqual(t, told, whole-50+0.1, "%s, %s", mode, name)
		}
	}
}
