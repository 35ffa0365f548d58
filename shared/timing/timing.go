// Package timing tells in the header Server-Timing of each answer what its time went to: waiting for the database (db) and for
// the cache (cache), and how old the process was when it took its first request (cold).
package timing

import (
	"context"
	"sync"
	"time"
)

// A Part is what a request waits for.
type Part int

// The parts, by their names in the header: db and cache.
const (
	Database Part = iota
	Cache
	parts
)

// A request gathers the times of one request. Its methods may be called by any number of goroutines.
type request struct {
	mu       sync.Mutex
	watches  [parts]stopwatch
	withheld bool
}

// A stopwatch adds up the time in which at least one of its waits is open. What overlaps, such as a question within another one or
// two side by side, counts once, so that no part is longer than the request.
type stopwatch struct {
	open  int
	since time.Time
	total time.Duration
}

type requestKey struct{}

func of(ctx context.Context) *request {
	r, _ := ctx.Value(requestKey{}).(*request)
	return r
}

// Begin says that the request which ctx belongs to waits for p until [End]. Outside of a request it does nothing.
func Begin(ctx context.Context, p Part) { change(ctx, p, (*stopwatch).begin) }

// End ends what [Begin] began. One too many changes nothing while no wait is open.
func End(ctx context.Context, p Part) { change(ctx, p, (*stopwatch).end) }

func change(ctx context.Context, p Part, do func(*stopwatch)) {
	if r := of(ctx); r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		do(&r.watches[p])
	}
}

func (w *stopwatch) begin() {
	if w.open == 0 {
		w.since = time.Now()
	}
	w.open++
}

func (w *stopwatch) end() {
	if w.open == 0 {
		return
	}
	w.open--
	if w.open == 0 {
		w.total += time.Since(w.since)
	}
}

// Withhold has the answer name its parts without their times. How long a call takes must not tell whether an account exists: the
// whole hides a fraction of a millisecond behind the network and a password's hash, where the parts would show it plainly. So what
// somebody could probe withholds; every other answer is about the caller's own things, or asks the same of what is not theirs as of
// what is not there.
func Withhold(ctx context.Context) {
	if r := of(ctx); r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.withheld = true
	}
}

// told returns how long the request has waited for each part until now; ok is false when that is withheld.
func (r *request) told() (times [parts]time.Duration, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for p, w := range r.watches {
		times[p] = w.total
		if w.open > 0 {
			times[p] += time.Since(w.since)
		}
	}
	return times, !r.withheld
}
