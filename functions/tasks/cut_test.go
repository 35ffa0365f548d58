package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/board"
	"github.com/honeydue/backend/shared/date"
	"github.com/honeydue/backend/shared/function/functiontest"
)

// cutSeed is go test -cutseed: the cuts of an earlier run again.
var cutSeed = flag.Uint64("cutseed", 0, "draw the cuts of TestCommitsThatAreCut from this seed")

// TestCommitsThatAreCut cuts the connection to PostgreSQL at a random moment of each of many creating requests and sends the request
// again until it succeeds, as an app does: everything is there once, with one answer, and no board lags behind.
func TestCommitsThatAreCut(t *testing.T) {
	t.Parallel()
	const commits, lanes = 1000, 8
	seed := *cutSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("repeat with -cutseed=%d", seed)
	calm := functiontest.Start(t, name, handlers)
	plots := cutPlots(t, calm, commits)
	todo := make(chan int, commits)
	for i := range commits {
		todo <- i
	}
	close(todo)

	var mu sync.Mutex
	var errs []error
	fell := map[string]map[moment]int{}
	var group sync.WaitGroup
	for range lanes {
		l := newLane(t, calm)
		group.Go(func() {
			defer l.proxy.Stop()
			for i := range todo {
				c := drawCut(rand.New(rand.NewPCG(seed, uint64(i))))
				when, err := l.commit(plots[i], c)
				if err != nil {
					err = fmt.Errorf("commit %d, cut %+v: %w", i, c, err)
				}
				mu.Lock()
				if err != nil {
					errs = append(errs, err)
				}
				if fell[c.kind] == nil {
					fell[c.kind] = map[moment]int{}
				}
				fell[c.kind][when]++
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	group.Wait()
	require.NoError(t, errors.Join(errs...))
	total := map[moment]int{}
	for kind, moments := range fell {
		t.Logf("%-8s %v", kind, moments)
		for when, n := range moments {
			total[when] += n
		}
	}
	t.Logf("%-8s %v", "all", total)
	for _, when := range []moment{beforeCommit, inCommit, afterCommit} {
		require.GreaterOrEqual(t, total[when], commits/20, "too few cuts fell %s: nothing is shown about them", when)
	}
	require.Equal(t, afterwards(commits/4), whatIsThere(t, calm), "something is there twice, or not at all")
	require.Equal(t, commits, functiontest.Value[int](t, calm, `SELECT count(*) FROM shared_idempotency`))
	s := &service{calm.Base}
	today, err := date.Parse(noon.Format(time.DateOnly))
	require.NoError(t, err)
	for _, p := range plots {
		want, err := s.readBoard(t.Context(), p.person, 0, today, board.DefaultThreshold)
		require.NoError(t, err)
		require.Equal(t, want, functiontest.Read[kanban](t, calm.Call(t, http.MethodGet, "/api/tasks/", p.token, nil), 200))
	}
}

// A plot is a home that one commit changes, and its owner. Its name says how.
type plot struct {
	name               string
	person, home, task int64
	token              string
}

// helper is a member of every plot: the first person of all.
const helper = 1

func (p plot) request() (to string, body any) {
	one := object{"title": "Clean the gutters", "assigned_to_id": helper}
	switch p.name {
	case "bulk":
		return "/api/tasks/bulk/", object{"residence_id": p.home, "tasks": []object{one, one}}
	case "complete":
		return "/api/task-completions/", object{"task_id": p.task, "notes": "done"}
	case "skip":
		return path(p.task, "skip"), nil
	default:
		one["residence_id"] = p.home
		return "/api/tasks/", one
	}
}

// afterwards is what each of so many plots of every kind holds in the end. The tasks that were there are weekly.
func afterwards(each int) map[string]int {
	return map[string]int{
		"create: 1 task, 0 entries, 1 event, due never":      each,
		"bulk: 2 tasks, 0 entries, 2 events, due never":      each,
		"complete: 1 task, 1 entry, 1 event, due 2026-12-07": each,
		"skip: 1 task, 1 entry, 0 events, due 2026-12-07":    each,
	}
}

func whatIsThere(t *testing.T, s *functiontest.Server) map[string]int {
	t.Helper()
	return functiontest.Value[map[string]int](t, s, `
		WITH task AS (SELECT residence_id, count(*) AS n, min(next_due_on) AS due FROM task_task GROUP BY 1),
		    entry AS (SELECT t.residence_id, count(*) AS n FROM task_taskcompletion c JOIN task_task t ON t.id = c.task_id GROUP BY 1),
		    event AS (SELECT (data->>'residence_id')::bigint AS residence_id, count(*) AS n FROM outbox_event e JOIN outbox_delivery d ON d.event_id = e.id GROUP BY 1),
		    plot AS (SELECT format('%s: %s %s, %s %s, %s %s, due %s', r.name,
		            coalesce(t.n, 0), CASE t.n WHEN 1 THEN 'task' ELSE 'tasks' END,
		            coalesce(c.n, 0), CASE c.n WHEN 1 THEN 'entry' ELSE 'entries' END,
		            coalesce(e.n, 0), CASE e.n WHEN 1 THEN 'event' ELSE 'events' END, coalesce(t.due::text, 'never')) AS state, count(*) AS n
		        FROM residence_residence r LEFT JOIN task t ON t.residence_id = r.id LEFT JOIN entry c ON c.residence_id = r.id LEFT JOIN event e ON e.residence_id = r.id
		        GROUP BY 1)
		SELECT json_object_agg(state, n) FROM plot`)
}

// cutPlots makes n plots whose owners have their boards in the cache from the first look on.
func cutPlots(t *testing.T, s *functiontest.Server, n int) []plot {
	t.Helper()
	require.EqualValues(t, helper, s.Person(t, "bob").ID)
	s.Exec(t, `INSERT INTO auth_user (email) SELECT 'cut' || g || '@example.com' FROM generate_series(1, $1) g`, n)
	for _, sql := range []string{
		`INSERT INTO auth_session (user_id, token_hash, expires_at) SELECT id, sha256(('hd_cut' || id)::bytea), now() + interval '90 days' FROM auth_user WHERE id <> $1`,
		`INSERT INTO residence_residence (name, created_by_id) SELECT (ARRAY['create', 'bulk', 'complete', 'skip'])[1 + id % 4], id FROM auth_user WHERE id <> $1`,
		`INSERT INTO residence_member (residence_id, user_id, role) SELECT id, created_by_id, 'owner' FROM residence_residence UNION ALL SELECT id, $1, 'member' FROM residence_residence`,
	} {
		s.Exec(t, sql, helper)
	}
	s.Exec(t, `INSERT INTO task_task (residence_id, title, frequency_id, due_on, next_due_on)
		SELECT id, 'Sweep', 3, '2026-11-30', '2026-11-30' FROM residence_residence WHERE name IN ('complete', 'skip')`)
	rows, err := s.Owner.Query(t.Context(), `
		SELECT r.name, r.created_by_id, r.id, coalesce(t.id, 0) FROM residence_residence r LEFT JOIN task_task t ON t.residence_id = r.id ORDER BY r.id`)
	require.NoError(t, err)
	plots, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p plot, err error) {
		err = row.Scan(&p.name, &p.person, &p.home, &p.task)
		p.token = fmt.Sprintf("hd_cut%d", p.person)
		return p, err
	})
	require.NoError(t, err)
	require.Len(t, plots, n)
	for _, p := range plots {
		s.Base.Cache.Born(t.Context(), p.person)
	}
	// Committing takes a while, as it does on a distant database, so that some of the cuts fall into it.
	s.Exec(t, `CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.02 * random()); RETURN NULL; END $$`)
	s.Exec(t, `CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON shared_idempotency DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION linger()`)
	return plots
}

// A moment is where a cut fell, as its client learned.
type moment string

const (
	beforeCommit moment = "before" // it was refused, and nothing had happened
	inCommit     moment = "in"     // it was refused, and yet it had happened
	afterCommit  moment = "after"  // it was answered
)

// A cut ends a connection: when the function has sent so many bytes, when the database has answered so many, or after that part of
// the time that a request takes, at once or after some milliseconds in which nothing passes.
type cut struct {
	kind  string
	bytes int64
	part  float64
}

// A request sends and gets not many bytes more.
const (
	bytesSent     = 5000
	bytesAnswered = 3000
)

func drawCut(r *rand.Rand) cut {
	switch r.IntN(4) {
	case 0:
		return cut{kind: "sent", bytes: r.Int64N(bytesSent)}
	case 1:
		return cut{kind: "answered", bytes: r.Int64N(bytesAnswered)}
	case 2:
		return cut{kind: "closed", part: 1.2 * r.Float64()}
	default:
		return cut{kind: "stalled", part: 1.2 * r.Float64()}
	}
}

// A lane is a process of the function whose one connection to the database can be cut.
type lane struct {
	*functiontest.Server
	calm    *functiontest.Server // another process, which nobody cuts off
	control *toxiproxy.ApiServer
	proxy   *toxiproxy.Proxy
	took    time.Duration // for the newest request that was carried out undisturbed, the connecting included
}

func newLane(t *testing.T, calm *functiontest.Server) *lane {
	t.Helper()
	l := &lane{calm: calm, took: 20 * time.Millisecond, control: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())}
	l.proxy = toxiproxy.NewProxy(l.control, "postgres", "127.0.0.1:0", functiontest.DatabaseAt(t, calm.DB))
	require.NoError(t, l.proxy.Start())
	l.Server = functiontest.StartThrough(t, calm.DB, l.proxy.Listen, name, handlers)
	return l
}

// reopen cuts what is left of the connection, and lets the next one through.
func (l *lane) reopen() error {
	l.proxy.Stop()
	l.proxy = toxiproxy.NewProxy(l.control, "postgres", l.proxy.Listen, l.proxy.Upstream)
	return l.proxy.Start()
}

// arm begins a cut. The function that it returns ends it.
func (l *lane) arm(c cut) (disarm func() error, err error) {
	add := func(toxic string) error {
		_, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(toxic))
		return err
	}
	none := func() error { return nil }
	switch c.kind {
	case "sent":
		return none, add(fmt.Sprintf(`{"type": "limit_data", "stream": "upstream", "attributes": {"bytes": %d}}`, c.bytes))
	case "answered":
		return none, add(fmt.Sprintf(`{"type": "limit_data", "stream": "downstream", "attributes": {"bytes": %d}}`, c.bytes))
	}
	over, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		select {
		case <-time.After(time.Duration(c.part * float64(l.took))):
		case <-over:
			ended <- nil
			return
		}
		if c.kind == "closed" {
			l.proxy.Stop()
			ended <- nil
			return
		}
		ended <- add(`{"type": "timeout", "stream": "downstream", "attributes": {"timeout": 20}}`)
	}()
	return func() error {
		close(over)
		return <-ended
	}, nil
}

// commit sends the request of a plot while its connection is cut, and again until it succeeds.
func (l *lane) commit(p plot, c cut) (moment, error) {
	before, err := l.board(p)
	if err != nil {
		return "", err
	}
	to, body := p.request()
	key := functiontest.Header{Name: "Idempotency-Key", Value: fmt.Sprintf("cut-%d", p.home)}
	disarm, err := l.arm(c)
	if err != nil {
		return "", err
	}
	first, err := l.Try(http.MethodPost, to, p.token, body, key)
	if err := errors.Join(err, disarm()); err != nil {
		return "", err
	}
	when := afterCommit
	if !succeeded(first) {
		if first.Status != http.StatusServiceUnavailable {
			return "", fmt.Errorf("the cut one was answered %d: %s", first.Status, first.Body)
		}
		// Whoever looks while nobody knows what became of it must leave nothing in the cache.
		if _, err := l.board(p); err != nil {
			return "", err
		}
	}
	if err := l.reopen(); err != nil {
		return "", err
	}
	// Half of the requests are sent again while the first may still be committing.
	if !succeeded(first) && p.home%8 < 4 {
		if err := l.shown(p, before); err != nil {
			return "", err
		}
	}
	began := time.Now()
	again, err := l.persist(to, p.token, body, key)
	if err != nil {
		return "", err
	}
	switch {
	case succeeded(first):
		if !bytes.Equal(first.Body, again.Body) {
			return "", fmt.Errorf("answered %s, and then %s", first.Body, again.Body)
		}
	case again.Header.Get("Idempotent-Replay") == "true":
		when = inCommit
	default:
		when, l.took = beforeCommit, time.Since(began)
	}
	return when, l.settled(p, to, body, key, before, again)
}

// shown waits for the end of a transaction that holds a plot's home, and checks that the board shows what became of it.
func (l *lane) shown(p plot, before string) error {
	var home, kept int64
	if err := l.calm.Owner.QueryRow(context.Background(), `SELECT id FROM residence_residence WHERE id = $1 FOR UPDATE`, p.home).Scan(&home); err != nil {
		return err
	}
	if err := l.calm.Owner.QueryRow(context.Background(), `SELECT count(*) FROM shared_idempotency WHERE user_id = $1`, p.person).Scan(&kept); err != nil {
		return err
	}
	now, err := l.board(p)
	if err == nil && (now == before) != (kept == 0) {
		err = fmt.Errorf("with %d commits, the board is %s", kept, now)
	}
	return err
}

func succeeded(r functiontest.Response) bool {
	return r.Status == http.StatusCreated || r.Status == http.StatusOK
}

// persist sends a request until it succeeds.
func (l *lane) persist(to, token string, body any, key functiontest.Header) (functiontest.Response, error) {
	const patience = 20 * time.Second
	for began := time.Now(); ; {
		r, err := l.Try(http.MethodPost, to, token, body, key)
		switch {
		case err != nil || succeeded(r):
			return r, err
		case r.Status != http.StatusServiceUnavailable && r.Status != http.StatusConflict, time.Since(began) > patience:
			return r, fmt.Errorf("tried again, it was answered %d: %s", r.Status, r.Body)
		}
	}
}

// settled checks that another process gives the answer once more, and that the board shows the change.
func (l *lane) settled(p plot, to string, body any, key functiontest.Header, before string, answer functiontest.Response) error {
	replayed, err := l.calm.Try(http.MethodPost, to, p.token, body, key)
	if err != nil {
		return err
	}
	if replayed.Header.Get("Idempotent-Replay") != "true" || !bytes.Equal(replayed.Body, answer.Body) {
		return fmt.Errorf("answered %s, and another process answers %d %s", answer.Body, replayed.Status, replayed.Body)
	}
	for range 2 {
		after, err := l.board(p)
		if err != nil {
			return err
		}
		if after == before {
			return fmt.Errorf("the board is that of before: %s", after)
		}
	}
	return nil
}

// board reads the board of a plot's owner on the process that nobody cuts off.
func (l *lane) board(p plot) (string, error) {
	r, err := l.calm.Try(http.MethodGet, "/api/tasks/", p.token, nil)
	if err == nil && r.Status != http.StatusOK {
		err = fmt.Errorf("the board was answered %d: %s", r.Status, r.Body)
	}
	return string(r.Body), err
}
