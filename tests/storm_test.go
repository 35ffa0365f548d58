package tests

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/honeydue/backend/events"
	"github.com/honeydue/backend/knative/local"
)

// TestStorm delivers every event of a long random story one to five times, shuffled and side by side, and kills the function that
// takes them at random moments. Each person gets each message once, unless a kill fell between its arrival and the commit of `sent`.
func TestStorm(t *testing.T) {
	t.Parallel()
	const (
		settlers, acts = 16, 260
		atOnce         = 12 // deliveries
		deaths         = 40 // about
	)
	began := time.Now()
	seed := stormSeed(t)
	t.Logf("STORM_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	s := ownSystem(t)
	db := owner(t, s)
	ctx := within(t, 4*time.Minute)

	v := newVillage(ctx, t, s, random, settlers)
	s.StopBroker() // so that what happens now is told by nobody but the storm
	v.live(ctx, t, acts)
	told := eventsOf(ctx, t, db)
	list := shuffled(random, told)
	t.Logf("%s: %d people wait for the storm: %d events, %d deliveries", time.Since(began).Round(time.Second), len(v.people), len(told), len(list))

	killed := &kills{at: map[string][]time.Time{}}
	taken := make(chan struct{}, len(list))
	var killer sync.WaitGroup
	killer.Go(func() { killed.follow(taken, s, "notifications", max(1, len(list)/deaths)) })
	deliver(ctx, t, s.Inside("notifications"), list, atOnce, taken)
	killer.Wait()
	t.Logf("%s: all are delivered, with %d kills", time.Since(began).Round(time.Second), killed.count())
	require.GreaterOrEqual(t, killed.count(), deaths/2)
	require.NoError(t, s.StartBroker())
	settle(ctx, t, s, db)

	r := readRecord(ctx, t, db)
	sent, dead := r.compare(t, v.wanted())
	mails, pushes := r.arrived(t, v)
	noted := notedAs(t, db)
	t.Logf("%s: %d messages sent, %d dead for what happened after their event; doubled by a kill between the last byte and the commit: "+
		"%d of %d mails, %d of %d pushes", time.Since(began).Round(time.Second), sent, dead,
		killed.explain(t, mails, noted), len(mails), killed.explain(t, pushes, noted), len(pushes))
}

// stormSeed is another one each time, unless STORM_SEED says which.
func stormSeed(t *testing.T) uint64 {
	t.Helper()
	given := os.Getenv("STORM_SEED")
	if given == "" {
		return rand.Uint64()
	}
	seed, err := strconv.ParseUint(given, 10, 64)
	require.NoError(t, err)
	return seed
}

// eventsOf returns all events that notifications listens to, in the order in which they happened.
func eventsOf(ctx context.Context, t *testing.T, db *pgxpool.Pool) []events.Event {
	t.Helper()
	rows, err := db.Query(ctx, `
		SELECT e.id, e.type, e.source, e.subject, e.time, e.data, e.traceparent
		FROM outbox_event e JOIN outbox_delivery d ON d.event_id = e.id WHERE d.consumer = 'notifications' ORDER BY e.id`)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[events.Event])
	require.NoError(t, err)
	return all
}

// shuffled has each event one to five times, in any order.
func shuffled(random *rand.Rand, told []events.Event) (list []events.Event) {
	const most = 5
	for _, e := range told {
		for range 1 + random.IntN(most) {
			list = append(list, e)
		}
	}
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// deliver sends a list of events to a subscriber, several at once, each until it is taken, and tells of each that is.
func deliver(ctx context.Context, t *testing.T, subscriber string, list []events.Event, atOnce int, taken chan<- struct{}) {
	t.Helper()
	const pause = 20 * time.Millisecond
	p := events.Publisher{Sink: subscriber, Client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	next := make(chan events.Event)
	var workers sync.WaitGroup
	for range atOnce {
		workers.Go(func() {
			for e := range next {
				for p.Publish(ctx, e) != nil && ctx.Err() == nil {
					<-time.After(pause) // a broker waits longer
				}
				taken <- struct{}{}
			}
		})
	}
	for _, e := range list {
		next <- e
	}
	close(next)
	workers.Wait()
	close(taken)
	require.NoError(t, ctx.Err())
}

// follow kills a function a moment after every so many deliveries that it took, sometimes more and sometimes fewer, until there
// are no more.
func (k *kills) follow(taken <-chan struct{}, s *local.System, name string, apart int) {
	const moment = 30 * time.Millisecond
	left := 1 + rand.IntN(2*apart)
	for range taken {
		if left--; left > 0 {
			continue
		}
		<-time.After(rand.N(moment))
		k.kill(s, name)
		left = 1 + rand.IntN(2*apart)
	}
}
