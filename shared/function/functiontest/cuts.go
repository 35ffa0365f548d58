package functiontest

import (
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/function"
)

// A Plot is where one creating request is cut.
type Plot struct {
	Name   string // what is done there
	Person int64  // who does it, and nothing else
	Token  string
	Path   string
	Body   any
	Shown  string // the path of what the request changes
	Home   int64  // whose row the request holds before it writes and until its end, or 0
}

// CheckCuts posts to each of the plots while the connection to PostgreSQL is cut at a random moment, and again until it succeeds, as an
// app does. It fails unless every request has one answer, whatever process gives it, and what is shown never lags behind. The
// cuts are drawn from a seed, or a random one for 0. What is there in the end, the caller counts.
func CheckCuts(t *testing.T, calm *Server, name string, routes func(*function.Base) func(huma.API), plots []Plot, seed uint64) {
	t.Helper()
	const lanes = 8
	if seed == 0 {
		seed = mathrand.Uint64()
	}
	t.Logf("repeat with -cutseed=%d", seed)
	calm.linger(t)
	upstream := DatabaseAt(t, calm.DB)
	if calm.DB.Servers.PgBouncer != nil {
		upstream = net.JoinHostPort("127.0.0.1", strconv.Itoa(calm.DB.Servers.NewPooler(t).Port()))
	}
	todo := make(chan int, len(plots))
	for i := range plots {
		todo <- i
	}
	close(todo)
	fell := &tally{by: map[string]map[moment]int{}}
	var group sync.WaitGroup
	for range lanes {
		l := newLane(t, calm, upstream, name, routes)
		group.Go(func() {
			defer l.proxy.Stop()
			for i := range todo {
				c := drawCut(mathrand.New(mathrand.NewPCG(seed, uint64(i))))
				when, err := l.commit(plots[i], c)
				if err != nil {
					err = fmt.Errorf("commit %d, %s, cut %+v: %w", i, plots[i].Name, c, err)
				}
				fell.add(c, when, err)
				if err != nil {
					return
				}
			}
		})
	}
	group.Wait()
	fell.check(t, len(plots))
	require.Equal(t, len(plots), Value[int](t, calm, `SELECT count(*) FROM shared_idempotency`))
}

// linger makes committing take a while, as it does on a distant database, so that some of the cuts fall into it, and as long as
// somebody holds the commits of its person.
func (s *Server) linger(t *testing.T) {
	t.Helper()
	s.Exec(t, fmt.Sprintf(`CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN PERFORM pg_sleep(0.06 * random()), pg_advisory_xact_lock(%d, NEW.user_id::int); RETURN NULL; END $$`, commitLocks))
	s.Exec(t, `CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON shared_idempotency DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION linger()`)
}

// post sends the request of a plot, from an address of its own so that no limit is met.
func (p Plot) post(s *Server) (Response, error) {
	return s.Try(http.MethodPost, p.Path, p.Token, p.Body,
		Header{"Idempotency-Key", fmt.Sprintf("cut-%d", p.Person)}, Header{"X-Forwarded-For", fmt.Sprintf("10.0.%d.%d", p.Person/256, p.Person%256)})
}

// shown reads what the request changes.
func (p Plot) shown(s *Server) (string, error) {
	r, err := s.Try(http.MethodGet, p.Shown, p.Token, nil)
	if err == nil && r.Status != http.StatusOK {
		err = fmt.Errorf("%s was answered %d: %s", p.Shown, r.Status, r.Body)
	}
	return string(r.Body), err
}
