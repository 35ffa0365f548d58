package cache

import (
	"context"
	"log/slog"
	"math/bits"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/shared/devserver"
	"github.com/honeydue/backend/shared/devserver/devtest"
)

func TestMain(m *testing.M) { os.Exit(devtest.Main(m)) }

// startRedis returns a server of the test's own, which it may stop and pause.
func startRedis(t *testing.T) *devserver.Redis {
	t.Helper()
	server, err := devserver.StartRedis(t.Context(), devserver.Options{Dir: devtest.TempDir(t)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop(context.WithoutCancel(t.Context()))) })
	return server
}

// openCache returns one process's view of a Redis.
func openCache(t *testing.T, url string, times times) *Cache {
	t.Helper()
	c, err := open(url, slog.New(slog.DiscardHandler), times)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// patient are times that a busy machine keeps.
func patient() times { return Config{Budget: 10 * time.Second}.times() }

func view(user int64) View { return View{User: user, Name: "2026-11-21:all:30"} }

func TestBoardIsKeptUntilItChanges(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	url := startRedis(t).URL(0)
	c, other := openCache(t, url, patient()), openCache(t, url, patient())
	c.Born(ctx, 7)
	found, store := c.Board(ctx, view(7))
	require.Nil(t, found)
	store(ctx, []byte("a"))
	for _, each := range []*Cache{c, other} {
		found, _ = each.Board(ctx, view(7))
		require.Equal(t, "a", string(found))
	}
	for _, elsewhere := range []View{{7, "2026-11-22:all:30"}, {7, "2026-11-21:r1:30"}, {8, "2026-11-21:all:30"}} {
		found, _ = c.Board(ctx, elsewhere)
		require.Nil(t, found, elsewhere)
	}
	settle := other.Mark(ctx, []int64{7})
	found, store = c.Board(ctx, view(7))
	require.Nil(t, found, "nobody reads while a marker stands")
	store(ctx, []byte("b"))
	settle(ctx)
	found, store = c.Board(ctx, view(7))
	require.Nil(t, found)
	store(ctx, []byte("c"))
	found, _ = other.Board(ctx, view(7))
	require.Equal(t, "c", string(found))
}

func TestAnotherWritersMarkerStays(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c := openCache(t, startRedis(t).URL(0), patient())
	c.Born(ctx, 7)
	first, second := c.Mark(ctx, []int64{7, 8}), c.Mark(ctx, []int64{7})
	first(ctx)
	_, store := c.Board(ctx, view(7))
	store(ctx, []byte("a"))
	found, _ := c.Board(ctx, view(7))
	require.Nil(t, found)
	second(ctx)
	_, store = c.Board(ctx, view(7))
	store(ctx, []byte("b"))
	found, _ = c.Board(ctx, view(7))
	require.Equal(t, "b", string(found))
}

// TestASlowReaderRacesAWriter has one process read a board and another change it, in each order that their steps can have.
// After each step a third reads: once the change is committed it never sees the board from before.
func TestASlowReaderRacesAWriter(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	url := startRedis(t).URL(0)
	reading, writing, looking := openCache(t, url, patient()), openCache(t, url, patient()), openCache(t, url, patient())
	const steps = 3
	orders, kept := 0, 0
	for order := range 1 << (2 * steps) {
		if bits.OnesCount(uint(order)) != steps {
			continue
		}
		orders++
		user, committed := int64(order), "before"
		reading.Born(ctx, user)
		var store, settle func(context.Context)
		read := ""
		reader := []func(){
			func() {
				found, keep := reading.Board(ctx, view(user))
				require.Nil(t, found)
				store = func(ctx context.Context) { keep(ctx, []byte(read)) }
			},
			func() { read = committed },
			func() { store(ctx) },
		}
		writer := []func(){
			func() { settle = writing.Mark(ctx, []int64{user}) },
			func() { committed = "after" },
			func() { settle(ctx) },
		}
		var found []byte
		for bit := range 2 * steps {
			if order>>bit&1 == 0 {
				reader[0]()
				reader = reader[1:]
			} else {
				writer[0]()
				writer = writer[1:]
			}
			if found, _ = looking.Board(ctx, view(user)); found != nil {
				require.Equal(t, committed, string(found), "order %06b, step %d", order, bit)
			}
		}
		if found != nil {
			kept++
		}
	}
	require.Equal(t, 20, orders)
	require.Positive(t, kept, "a reader that came after the writer stored its board")
}

// A world is a database that counts commits, in front of which two processes keep boards.
type world struct {
	*testing.T
	random  *rand.Rand
	caches  []*Cache
	version int // of the database: each commit makes a new one
	counts  map[string]int
}

// A step is one thing that somebody does; nil for one who has nothing left to do.
type step func(ctx context.Context) (next step)

// reader asks for a board, as a request that asked for its token before or without one, gets it from the cache or slowly from the
// database, and keeps it then.
func (w *world) reader() step {
	c, of := w.caches[w.random.IntN(len(w.caches))], view(int64(1+w.random.IntN(2)))
	asks := func(ctx context.Context, looked func() int) step {
		return func(context.Context) step {
			oldest := looked()
			if s := seenIn(ctx); s.board(of) != nil {
				w.counts["held"]++
			}
			found, store := c.Board(ctx, of)
			if found != nil {
				shown, err := strconv.Atoi(string(found))
				require.NoError(w, err)
				require.GreaterOrEqual(w, shown, oldest, "a board that is older than a commit before the look")
				w.counts["read from cache"]++
				return nil
			}
			return func(context.Context) step {
				read := w.version
				w.counts["read from database"]++
				return func(ctx context.Context) step {
					store(ctx, []byte(strconv.Itoa(read)))
					return nil
				}
			}
		}
	}
	if w.random.IntN(3) == 0 {
		return asks(w.Context(), func() int { return w.version })
	}
	return func(ctx context.Context) step {
		ctx = OfRequest(ctx)
		_, keep := c.Token(ctx, []byte(strconv.FormatInt(of.User, 10)))
		keep(ctx, []byte("alive"))
		version := w.version
		return asks(ctx, func() int { return version })
	}
}

// transactionLife is how long a marker lets a transaction live; what takes longer is rolled back.
const (
	shortMarker     = 20 * time.Millisecond
	transactionLife = 12 * time.Millisecond
)

// writer marks, commits and settles, unless it is killed on the way.
func (w *world) writer() step {
	c, killed := w.caches[w.random.IntN(len(w.caches))], w.random.IntN(6)
	dies := func(at int, where string, next step) step {
		if killed == at {
			w.counts["killed "+where]++
			return nil
		}
		return next
	}
	return func(ctx context.Context) step {
		began := time.Now()
		settle := c.Mark(ctx, []int64{1, 2})
		return dies(0, "before the commit", func(context.Context) step {
			if time.Since(began) < transactionLife {
				w.version++
				w.counts["committed"]++
			} else {
				w.counts["rolled back"]++
			}
			return dies(1, "after the commit", func(ctx context.Context) step {
				settle(ctx)
				return nil
			})
		})
	}
}

// TestNobodyReadsWhatIsOlderThanACommit runs readers and writers step by step in random order, on two processes, with
// writers killed between their steps and Redis emptied between any two.
func TestNobodyReadsWhatIsOlderThanACommit(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	url := startRedis(t).URL(0)
	times := patient()
	times.marker = shortMarker
	options, err := redis.ParseURL(url)
	require.NoError(t, err)
	emptier := redis.NewClient(options)
	t.Cleanup(func() { require.NoError(t, emptier.Close()) })
	caches, counts := []*Cache{openCache(t, url, times), openCache(t, url, times)}, map[string]int{}
	for round := range 200 {
		w := &world{T: t, random: rand.New(rand.NewPCG(uint64(round), 1)), caches: caches, counts: counts}
		require.NoError(t, emptier.FlushDB(ctx).Err())
		caches[0].Born(ctx, 1)
		caches[1].Born(ctx, 2)
		var busy []step
		for range 120 {
			switch luck := w.random.IntN(100); {
			case luck < 1:
				require.NoError(t, emptier.FlushDB(ctx).Err())
				counts["redis emptied"]++
			case luck < 3:
				<-time.After(shortMarker) // only time ends a marker
			case luck < 40 && len(busy) < 6:
				if w.random.IntN(3) == 0 {
					busy = append(busy, w.writer())
				} else {
					busy = append(busy, w.reader())
				}
			case len(busy) > 0:
				i := w.random.IntN(len(busy))
				if busy[i] = busy[i](ctx); busy[i] == nil {
					busy[i] = busy[len(busy)-1]
					busy = busy[:len(busy)-1]
				}
			}
		}
	}
	t.Log(counts)
	for _, must := range []string{"held", "read from cache", "read from database", "committed", "killed before the commit", "killed after the commit", "redis emptied"} {
		require.Greater(t, counts[must], 50, must)
	}
}
