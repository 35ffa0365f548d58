package functiontest

import (
	"errors"
	mathrand "math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A cut ends a connection: when the function has sent so many bytes, when the database has answered so many, while it commits, or
// after that part of the time that a request takes, at once or after some milliseconds in which nothing passes.
type cut struct {
	kind    string
	bytes   int64
	part    float64
	patient bool // the request is sent again only once nothing of the first is under way, if one can tell
}

// A request sends and gets not many bytes more.
const (
	bytesSent     = 5000
	bytesAnswered = 3000
)

func drawCut(r *mathrand.Rand) cut {
	c := cut{patient: r.IntN(2) == 0}
	switch r.IntN(5) {
	case 0:
		c.kind, c.bytes = "sent", r.Int64N(bytesSent)
	case 1:
		c.kind, c.bytes = "answered", r.Int64N(bytesAnswered)
	case 2:
		c.kind = "committing"
	case 3:
		c.kind, c.part = "closed", 1.2*r.Float64()
	default:
		c.kind, c.part = "stalled", 1.2*r.Float64()
	}
	return c
}

// A moment is where a cut fell, as its client learned.
type moment string

const (
	beforeCommit moment = "before" // it was refused, and nothing had happened
	inCommit     moment = "in"     // it was refused, and yet it had happened
	afterCommit  moment = "after"  // it was answered
)

// A tally is how many cuts of each kind fell where.
type tally struct {
	mu   sync.Mutex
	by   map[string]map[moment]int
	errs []error
}

func (f *tally) add(c cut, when moment, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errs = append(f.errs, err)
	if f.by[c.kind] == nil {
		f.by[c.kind] = map[moment]int{}
	}
	f.by[c.kind][when]++
}

func (f *tally) check(t *testing.T, commits int) {
	t.Helper()
	require.NoError(t, errors.Join(f.errs...))
	total := map[moment]int{}
	for kind, moments := range f.by {
		t.Logf("%-8s %v", kind, moments)
		for when, n := range moments {
			total[when] += n
		}
	}
	t.Logf("%-8s %v", "all", total)
	for _, when := range []moment{beforeCommit, inCommit, afterCommit} {
		require.GreaterOrEqual(t, total[when], commits/40, "too few cuts fell %s: nothing is shown about them", when)
	}
}
